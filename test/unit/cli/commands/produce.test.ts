import { PassThrough, Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { Interrupted } from '../../../../src/cli/exit-code.ts';
import { nodeEnv } from '../../../../src/env/node-env.ts';
import { varveAtBroker } from '../at-broker.ts';
import { BrokenPipe, Captured } from '../run-varve.ts';

const { broker, run } = await varveAtBroker();

/** Makes a topic of its own for a test. */
let topics = 0;
async function newTopic(partitionCount = 1, configs: Record<string, string> = {}) {
  await using client = await broker.connect();
  const { name } = await client
    .admin()
    .createTopic({ name: `t${topics++}`, partitionCount, configs });
  return name;
}

async function stored(topic: string): Promise<{ key: string | null; value: string | null }[]> {
  const { stdout } = await run(['consume', topic, '--until-end', '--format', 'json']);
  const lines = stdout === '' ? [] : stdout.trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line));
}

const valuesOf = async (topic: string) => (await stored(topic)).map(({ value }) => value);

const acknowledgements = (stdout: string): { line: number; partition: number; offset: number }[] =>
  stdout === ''
    ? []
    : stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));

test('every line is a record, and all are stored when it ends', async () => {
  const topic = await newTopic();
  const finished = await run(['produce', topic], { input: 'one\n\n  two\r\nthree' });
  expect(finished).toEqual({ code: 0, stdout: '', stderr: '' });
  expect(await stored(topic)).toMatchObject([
    { key: null, value: 'one' },
    { key: null, value: '' },
    { key: null, value: '  two\r' },
    { key: null, value: 'three' },
  ]);
});

test('an empty input is no failure', async () => {
  expect(await run(['produce', await newTopic()])).toEqual({ code: 0, stdout: '', stderr: '' });
});

test('lines are bytes', async () => {
  const topic = await newTopic();
  await run(['produce', topic], { input: Uint8Array.of(0xff, 0x00, 0x0a, 0xc3) });
  expect(await stored(topic)).toMatchObject([{ valueBase64: '/wA=' }, { valueBase64: 'ww==' }]);
});

test('--file reads a file instead', async () => {
  const topic = await newTopic();
  const args = ['produce', topic, '--file', 'test/unit/cli/commands/two-lines.txt'];
  expect(await run(args, { env: nodeEnv() })).toMatchObject({ code: 0 });
  expect(await valuesOf(topic)).toEqual(['first', 'second']);
  const missing = await run(['produce', topic, '--file', '/no/such/file']);
  expect(missing).toMatchObject({ code: 1, stderr: expect.stringContaining('/no/such/file') });
});

test('--key-separator splits key and value', async () => {
  const topic = await newTopic(3);
  const input = 'en:hello\nfr:bonjour\nen:good:bye\n:x\n';
  await run(['produce', topic, '--key-separator', ':'], { input });
  const records = await stored(topic);
  expect(records.filter(({ key }) => key === 'en').map(({ value }) => value)).toEqual([
    'hello',
    'good:bye',
  ]);
  expect(records).toHaveLength(4);
  expect(records).toContainEqual(expect.objectContaining({ key: '', value: 'x' }));
});

test('a line without separator is named; those before are stored, none after', async () => {
  const topic = await newTopic();
  const finished = await run(['produce', topic, '--key-separator', ':'], {
    input: 'a:1\nb:2\nc3\nd:4\n',
  });
  expect(finished).toEqual({
    code: 1,
    stdout: '',
    stderr: 'varve: line 3 has no separator ":" between key and value\n',
  });
  expect(await valuesOf(topic)).toEqual(['1', '2']);
});

test('a line that no broker takes is named', async () => {
  const topic = await newTopic();
  const long = 'x'.repeat(16 * 1024 * 1024 + 1);
  const { code, stderr } = await run(['produce', topic], { input: `a\n${long}\nb\n` });
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: 'varve: line 2 is longer than 16777216 bytes\n',
  });
  expect(await valuesOf(topic)).toEqual(['a']);
});

test('a line that the topic refuses is named', async () => {
  const topic = await newTopic(1, { 'max.message.bytes': '1000' });
  const { code, stderr } = await run(['produce', topic], { input: `a\n${'x'.repeat(5000)}\n` });
  expect(code).toBe(4);
  expect(stderr).toMatch(/^varve: line 2: [^\n]*\n$/);
  expect(await valuesOf(topic)).toEqual(['a']);
});

test('--json tells where each line is stored', async () => {
  const topic = await newTopic(2);
  const input = Array.from({ length: 1000 }, (_, i) => `k${i % 7}:v${i}\n`).join('');
  const { code, stdout } = await run(['produce', topic, '--json', '--key-separator', ':'], {
    input,
  });
  expect(code).toBe(0);
  const told = acknowledgements(stdout);
  expect(told.map(({ line }) => line).sort((a, b) => a - b)).toEqual(
    Array.from({ length: 1000 }, (_, i) => i + 1),
  );
  const { stdout: consumed } = await run(['consume', topic, '--until-end', '--format', 'json']);
  const at = new Map(
    consumed
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
      .map(({ partition, offset, value }) => [`${partition}:${offset}`, value]),
  );
  for (const { line, partition, offset } of told) {
    expect(at.get(`${partition}:${offset}`)).toBe(`v${line - 1}`);
  }
});

test('--partition, --compression and --acks are followed', async () => {
  const topic = await newTopic(3);
  const options = ['--partition', '2', '--compression', 'zstd', '--acks', 'leader'];
  const { stdout } = await run(['produce', topic, '--json', ...options], { input: 'a\nb\n' });
  expect(acknowledgements(stdout)).toEqual([
    { line: 1, partition: 2, offset: 0 },
    { line: 2, partition: 2, offset: 1 },
  ]);
});

test('the first failure ends it, even if the input goes on', { tags: ['slow'] }, async () => {
  const input = new PassThrough();
  input.write('a\nb\n');
  const { code, stdout, stderr } = await run(['produce', 'missing', '--json'], { input });
  expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
  expect(stderr).toMatch(
    /^varve: line 1: [^\n]*missing[^\n]* \(2 lines were not acknowledged\)\n$/,
  );
  expect(input.destroyed).toBe(true);
});

test('a signal ends the reading; what was read is stored', async () => {
  const topic = await newTopic();
  const input = new PassThrough();
  const stdout = new Captured();
  const controller = new AbortController();
  const running = run(['produce', topic, '--json'], { input, stdout, signal: controller.signal });
  input.write('one\ntwo\nhalf a li');
  await stdout.until('"line":2');
  controller.abort(new Interrupted('SIGINT'));
  expect(await running).toMatchObject({ code: 130, stderr: '' });
  expect(await valuesOf(topic)).toEqual(['one', 'two']);
});

test('records are delivered when nobody reads their acknowledgements', async () => {
  const topic = await newTopic();
  const stdout = new BrokenPipe(0);
  const finished = await run(['produce', topic, '--json'], { input: 'a\nb\n', stdout });
  expect(finished).toEqual({ code: 0, stdout: '', stderr: '' });
  expect(await valuesOf(topic)).toEqual(['a', 'b']);
});

test('a slow reader of acknowledgements holds up the input', async () => {
  const LINES = 150_000;
  const MOST_OPEN = 65_536;
  /** Takes nothing until it is let go. */
  class Stalled extends Captured {
    #release: (() => void) | undefined;
    #isFree = false;
    override _write(chunk: Buffer, encoding: string, done: (error?: Error) => void): void {
      const take = () => super._write(chunk, encoding, done);
      if (this.#isFree) take();
      else this.#release = take;
    }
    letGo(): void {
      this.#isFree = true;
      this.#release?.();
    }
  }
  let read = 0;
  function* chunks() {
    for (; read < LINES; read += 100) yield Buffer.from('x\n'.repeat(100));
  }
  const topic = await newTopic();
  const stdout = new Stalled();
  const input = Readable.from(chunks(), { objectMode: true, highWaterMark: 1 });
  const running = run(['produce', topic, '--json'], { input, stdout });
  while (read < MOST_OPEN) await new Promise(setImmediate);
  for (let turn = 0; turn < 2000; turn++) await new Promise(setImmediate);
  expect(read).toBeLessThan(MOST_OPEN + 1000);
  stdout.letGo();
  const { code, stdout: told } = await running;
  expect(code).toBe(0);
  expect(acknowledgements(told)).toHaveLength(LINES);
});

test('progress is shown on a terminal', async () => {
  const stderr = new Captured();
  stderr.isTTY = true;
  await run(['produce', await newTopic()], { input: 'one\ntwo\n', stderr });
  expect(stderr.text.split('\r').at(-1)).toMatch(/^2 records, 6 bytes, [\d,]+\/s/);
});
