import { expect, test } from 'vitest';
import { type LogLevel, pinoLogger } from '../../../src/telemetry/pino-logger.ts';

const record = (level: LogLevel) => {
  const lines: string[] = [];
  const logger = pinoLogger({ level, destination: { write: (line) => lines.push(line) } });
  return { logger, lines, parsed: () => lines.map((line) => JSON.parse(line)) };
};

test('a line is one JSON object with level by name, ISO time, fields and message', () => {
  const { logger, lines, parsed } = record('info');
  logger.info({ topic: 'a', partition: 3 }, 'leader changed');
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/^\{.*\}\n$/);
  expect(parsed()[0]).toEqual({
    level: 'info',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    topic: 'a',
    partition: 3,
    msg: 'leader changed',
  });
});

test('lines below the level are not written', () => {
  const { logger, parsed } = record('warn');
  logger.debug({}, 'a');
  logger.info({}, 'b');
  logger.warn({}, 'c');
  logger.error({}, 'd');
  expect(parsed().map(({ level, msg }) => [level, msg])).toEqual([
    ['warn', 'c'],
    ['error', 'd'],
  ]);
});

test('silent writes nothing', () => {
  const { logger, lines } = record('silent');
  logger.error({}, 'a');
  expect(lines).toEqual([]);
});

test('an error carries its type, its own fields and its causes', () => {
  const { logger, parsed } = record('info');
  const cause = Object.assign(new Error('disk gone'), { code: 'EIO' });
  logger.error({ err: new TypeError('cannot flush', { cause }) }, 'flush failed');
  const { err } = parsed()[0];
  expect(err).toMatchObject({ type: 'TypeError', message: 'cannot flush' });
  expect(err.stack).toContain('pino-logger.test.ts');
  expect(err.cause).toMatchObject({ type: 'Error', message: 'disk gone', code: 'EIO' });
});

test('a child carries its bindings on every line, its own children too', () => {
  const { logger, parsed } = record('debug');
  logger.child({ component: 'log' }).child({ topic: 'a' }).debug({ offset: 1 }, 'rolled');
  expect(parsed()[0]).toMatchObject({ component: 'log', topic: 'a', offset: 1, msg: 'rolled' });
});
