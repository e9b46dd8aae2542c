import { expect, test } from 'vitest';
import { Interrupted } from '../../../../src/cli/exit-code.ts';
import { memoryEnv } from '../../../../src/env/memory-env.ts';
import { flipByte, SEGMENT, writePartition } from '../partition-log.ts';
import { Captured, varve } from '../run-varve.ts';

test('a sound partition is said to be sound', async () => {
  const env = memoryEnv();
  await writePartition(env.files, '/t-0', [['a', 'b'], ['c']]);
  const { code, stdout, stderr } = await varve(['log', 'verify', '/t-0'], { env });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(/^\/t-0: nothing wrong in 1 partition, \d+ bytes\n$/);
  expect(await varve(['log', 'verify', '/t-0', '--json'], { env })).toEqual({
    code: 0,
    stdout: '',
    stderr: '',
  });
});

test('what is wrong is told with file and position, and fails', async () => {
  const env = memoryEnv();
  const [, second] = await writePartition(env.files, '/t-0', [['a'], ['b'], ['c']]);
  await flipByte(env.files, `/t-0/${SEGMENT}`, second! + 62);
  const { code, stdout, stderr } = await varve(['log', 'verify', '/t-0'], { env });
  expect(code).toBe(1);
  expect(stdout).toBe(`/t-0/${SEGMENT}:${second}: a batch fails its checksum\n`);
  expect(stderr).toMatch(/^varve: \/t-0: one problem in 1 partition, \d+ bytes\n$/);
  const json = await varve(['log', 'verify', '/t-0', '--json'], { env });
  expect(JSON.parse(json.stdout)).toEqual({
    file: `/t-0/${SEGMENT}`,
    position: second,
    problem: 'a batch fails its checksum',
  });
});

test('a data directory is checked with all its partitions', async () => {
  const env = memoryEnv();
  await env.files.makeDirectory('/data');
  await env.files.makeDirectory('/data/metadata');
  await writePartition(env.files, '/data/t-0', [['a']]);
  await writePartition(env.files, '/data/t-1', [['b']]);
  await flipByte(env.files, `/data/t-1/${SEGMENT}`, 62);
  const { code, stdout } = await varve(['log', 'verify', '/data'], { env });
  expect(code).toBe(1);
  expect(stdout).toBe(`/data/t-1/${SEGMENT}:0: a batch fails its checksum\n`);
});

test('a bar on a terminal ends at 100 %', async () => {
  const env = memoryEnv();
  await writePartition(env.files, '/t-0', [['a']]);
  const stderr = new Captured();
  stderr.isTTY = true;
  await varve(['log', 'verify', '/t-0'], { env, stderr });
  expect(stderr.text).toContain('0 %');
  expect(stderr.text.split('\r').at(-1)).toMatch(/^\[#+\] 100 % {2}\d+ bytes/);
});

test('a signal ends it', async () => {
  const env = memoryEnv();
  await writePartition(env.files, '/t-0', [['a']]);
  const signal = AbortSignal.abort(new Interrupted('SIGINT'));
  expect(await varve(['log', 'verify', '/t-0'], { env, signal })).toMatchObject({
    code: 130,
    stderr: '',
  });
});
