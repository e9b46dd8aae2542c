import { afterAll, expect, test } from 'vitest';
import { Interrupted } from '../../../../src/cli/exit-code.ts';
import { varveAtBroker } from '../at-broker.ts';
import { BrokenPipe, Captured } from '../run-varve.ts';

const { broker, run } = await varveAtBroker();
const client = await broker.connect();
afterAll(() => client.close());
await client.admin().createTopic({ name: 't', partitionCount: 2 });
const producer = client.producer();
const binary = Uint8Array.of(0xff, 0x0a, 0x00);
await producer.send({ topic: 't', partition: 0, key: 'k', value: 'zero', timestampMs: 1000 });
await producer.send({ topic: 't', partition: 0, value: 'one', timestampMs: 2000 });
await producer.send({
  ...{ topic: 't', partition: 0, key: 'k', value: null, timestampMs: 3000 },
  headers: { h: 'text', b: binary },
});
await producer.send({ topic: 't', partition: 1, key: binary, value: binary, timestampMs: 4000 });

const consume = (...args: string[]) => run(['consume', 't', '--until-end', ...args]);

test('values are written as they are, a line each', async () => {
  expect(await consume('--partition', '0')).toEqual({
    code: 0,
    stdout: 'zero\none\n\n',
    stderr: '',
  });
  const stdout = new Captured();
  await run(['consume', 't', '--until-end', '--partition', '1'], { stdout });
  expect(Buffer.concat(stdout.chunks)).toEqual(Buffer.from([...binary, 0x0a]));
});

test('keys are written before the separator', async () => {
  const { stdout } = await consume('--partition', '0', '--key-separator', '=>');
  expect(stdout).toBe('k=>zero\n=>one\nk=>\n');
});

test('JSON has all of a record, a line each', async () => {
  const { stdout } = await consume('--format', 'json');
  const lines = stdout.trimEnd().split('\n');
  expect(lines.sort()).toEqual([
    '{"partition":0,"offset":0,"timestamp":1000,"key":"k","value":"zero","headers":[]}',
    '{"partition":0,"offset":1,"timestamp":2000,"key":null,"value":"one","headers":[]}',
    '{"partition":0,"offset":2,"timestamp":3000,"key":"k","value":null,"headers":[{"key":"h","value":"text"},{"key":"b","valueBase64":"/woA"}]}',
    '{"partition":1,"offset":0,"timestamp":4000,"keyBase64":"/woA","valueBase64":"/woA","headers":[]}',
  ]);
});

test.each([
  ['earliest', 'zero\none\n\n'],
  ['latest', ''],
  ['1', 'one\n\n'],
  ['3', ''],
  ['1001ms', 'one\n\n'],
  ['1970-01-01T00:00:03Z', '\n'],
  ['-5m', ''],
])('--from %s begins there', async (from, expected) => {
  const finished = await consume('--partition', '0', '--from', from);
  expect(finished).toEqual({ code: 0, stdout: expected, stderr: '' });
});

test('--max-records counts the records of all partitions', async () => {
  const { code, stdout } = await run(['consume', 't', '--from', 'earliest', '--max-records', '3']);
  expect(code).toBe(0);
  expect(stdout.split('\n').length).toBeGreaterThan(3);
  expect(await run(['consume', 't', '--from', 'earliest', '--max-records', '0'])).toEqual({
    code: 0,
    stdout: '',
    stderr: '',
  });
  const one = ['consume', 't', '--partition', '0', '--from', 'earliest', '--max-records', '1'];
  expect((await run(one)).stdout).toBe('zero\n');
});

test('without --until-end it waits for records, from the latest on, until a signal', async () => {
  await client.admin().createTopic({ name: 'live', partitionCount: 1 });
  await producer.send({ topic: 'live', value: 'before' });
  const stdout = new Captured();
  const controller = new AbortController();
  const running = run(['consume', 'live'], { stdout, signal: controller.signal });
  // It may not have found the end yet when the first of these is stored.
  let sent = 0;
  while (stdout.text === '') {
    await producer.send({ topic: 'live', value: `after ${sent++}` });
    await new Promise(setImmediate);
  }
  controller.abort(new Interrupted('SIGTERM'));
  const finished = await running;
  expect(finished).toMatchObject({ code: 143, stderr: '' });
  expect(finished.stdout).not.toContain('before');
});

test('it ends quietly when nobody reads any more', async () => {
  const stdout = new BrokenPipe(0);
  expect(await run(['consume', 't', '--from', 'earliest'], { stdout })).toEqual({
    code: 0,
    stdout: '',
    stderr: '',
  });
});

test('an offset that the partition does not have is refused by name', async () => {
  const args = ['--partition', '0', '--from', '100', '--max-records', '1'];
  const { code, stderr } = await run(['consume', 't', ...args]);
  expect(code).toBe(4);
  expect(stderr).toMatch(/^varve: [^\n]*100[^\n]*\n$/);
});

test('a topic or partition that is missing is told', { tags: ['slow'] }, async () => {
  expect(await run(['consume', 'missing', '--until-end'])).toMatchObject({ code: 3, stdout: '' });
  const { code, stderr } = await consume('--partition', '7');
  expect(code).toBeGreaterThan(0);
  expect(stderr).toMatch(/^varve: [^\n]*7[^\n]*\n$/);
});
