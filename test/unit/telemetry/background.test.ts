import { spawnSync } from 'node:child_process';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { makeBackground } from '../../../src/telemetry/background.ts';
import { pinoLogger } from '../../../src/telemetry/pino-logger.ts';
import { PrometheusMetrics } from '../../../src/telemetry/prometheus-metrics.ts';

const make = () => {
  const lines: string[] = [];
  const logger = pinoLogger({ level: 'debug', destination: { write: (line) => lines.push(line) } });
  const metrics = new PrometheusMetrics({ processMetrics: false });
  return { background: makeBackground(logger, metrics), metrics, lines };
};

test('work that fails is logged and counted under its name', async () => {
  const { background, metrics, lines } = make();
  background('retention', Promise.reject(new Error('disk gone')));
  background('retention', Promise.reject(new Error('disk gone')));
  await nextTurn();
  const counted = await metrics.expose();
  expect(counted).toContain('varve_background_failures_total{work="retention"} 2');
  expect(JSON.parse(lines[0]!)).toMatchObject({
    level: 'error',
    work: 'retention',
    err: { message: 'disk gone' },
    msg: 'background work failed',
  });
});

test('what is thrown need not be an error', async () => {
  const { background, metrics } = make();
  background('odd', Promise.reject('just a text'));
  await nextTurn();
  expect(await metrics.expose()).toContain('{work="odd"} 1');
});

test('work that ends well leaves no trace', async () => {
  const { background, metrics, lines } = make();
  background('retention', Promise.resolve(5));
  await nextTurn();
  expect(await metrics.expose()).not.toContain('retention');
  expect(lines).toEqual([]);
});

test('a broken invariant is logged and then ends the process', () => {
  const from = (path: string) =>
    JSON.stringify(fileURLToPath(new URL(`../../../src/${path}`, import.meta.url)));
  const script = `
    import { assert } from ${from('model/assert.ts')};
    import { makeBackground } from ${from('telemetry/background.ts')};
    import { noMetrics } from ${from('telemetry/no-metrics.ts')};
    import { pinoLogger } from ${from('telemetry/pino-logger.ts')};
    setTimeout(() => {}, 5_000);
    const background = makeBackground(pinoLogger({ level: 'info', destination: 'stdout' }), noMetrics);
    background('flush', (async () => assert(false, 'offsets are dense'))());
  `;
  const result = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
    encoding: 'utf8',
  });
  expect(result.status).toBe(1);
  expect(result.stdout).toContain('"work":"flush"');
  expect(result.stderr).toContain('offsets are dense');
});
