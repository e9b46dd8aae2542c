import { expect, test } from 'vitest';
import { FEATURES, type Outcome } from '../../conformance/kafka/features.ts';
import { runClient } from '../../conformance/kafka/run-client.ts';
import { tableOf, withTable } from '../../conformance/kafka/table.ts';

const [listeners, cluster] = [null, null];
const files = { cert: '', key: '' };
const certificates = { ca: '', otherCa: '', client: files, stranger: files };
const where = { server: '127.0.0.1:1', listeners, cluster };
const job = { ...where, prefix: 'p', canRestart: true, certificates };
const program = (script: string) => ({ file: process.execPath, args: ['-e', script] });
const print = (line: object) => `console.log(${JSON.stringify(JSON.stringify(line))});`;

test('a feature that a program does not tell about has failed, with the reason why it ended', async () => {
  const script = `${print({ feature: 'metadata', ok: true })}
    ${print({ feature: 'headers', ok: 'unsupported', detail: 'has none' })}
    ${print({ feature: 'metadata', ok: false })}
    ${print({ feature: 'no such feature', ok: true })}
    console.error('oops'); process.exitCode = 3;`;
  const outcomes = await runClient(program(script), job, undefined);
  expect(outcomes.size).toBe(FEATURES.length);
  expect(outcomes.get('metadata')).toEqual({ ok: true, detail: '' });
  expect(outcomes.get('headers')).toEqual({ ok: 'unsupported', detail: 'has none' });
  const missing = outcomes.get('acks 0');
  expect(missing?.ok).toBe(false);
  for (const part of ['ended with 3', 'no such feature', 'oops']) {
    expect(missing?.detail).toContain(part);
  }
});

test('what is neither true nor unsupported is a failure', async () => {
  const outcomes = await runClient(
    program(print({ feature: 'acks 1', ok: 'yes' })),
    job,
    undefined,
  );
  expect(outcomes.get('acks 1')?.ok).toBe(false);
});

test('a program that asks for a restart hears when it is over', async () => {
  let restarts = 0;
  const script = `${print({ event: 'restart' })}
    process.stdin.once('data', (text) => {
      console.log(JSON.stringify({ feature: 'acks all', ok: String(text) === 'restarted\\n' }));
      process.exit(0);
    });`;
  const outcomes = await runClient(program(script), job, async () => {
    restarts++;
  });
  expect(restarts).toBe(1);
  expect(outcomes.get('acks all')?.ok).toBe(true);
});

test('a program that cannot be started fails every feature', async () => {
  const outcomes = await runClient({ file: '/no/such/program', args: [] }, job, undefined);
  expect([...outcomes.values()].every(({ ok }) => ok === false)).toBe(true);
});

test('the table has a row for each feature and a column for each client', () => {
  const all = (ok: Outcome['ok']) => new Map(FEATURES.map((name) => [name, { ok, detail: '' }]));
  const outcomes = new Map([...all(true), ['acks 0', { ok: false, detail: 'why' }] as const]);
  const table = tableOf([
    { client: 'one', outcomes },
    { client: 'two', outcomes: all('unsupported') },
    { client: 'three', outcomes: new Map() },
  ]).split('\n');
  expect(table).toHaveLength(FEATURES.length + 2);
  expect(table[0]).toBe('|  | one | two | three |');
  expect(table).toContain('| acks 0 | FAILED | – | FAILED |');
  expect(table).toContain('| acks 1 | yes | – | FAILED |');
});

test('only what is between the markers is replaced', () => {
  const markers = [
    '<!-- kafka clients: written by npm run conformance -- --write-table -->',
    '<!-- end of kafka clients -->',
  ];
  const text = `before\n${markers[0]}\nold\n${markers[1]}\nafter`;
  expect(withTable(text, 'new')).toBe(`before\n${markers[0]}\nnew\n${markers[1]}\nafter`);
  expect(() => withTable('before', 'new')).toThrow('the text has no <!-- kafka clients');
});
