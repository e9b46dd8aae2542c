import { expect, test } from 'vitest';
import { memoryEnv } from '../../../../src/env/memory-env.ts';
import { flipByte, SEGMENT, writePartition } from '../partition-log.ts';
import { BrokenPipe, varve } from '../run-varve.ts';

const env = memoryEnv();
await writePartition(env.files, '/t-0', [['a', 'b'], ['c']]);

test('a line a batch says where it lies and what it holds', async () => {
  const { code, stdout, stderr } = await varve(['log', 'dump', '/t-0'], { env });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const lines = stdout.trimEnd().split('\n');
  expect(lines).toHaveLength(2);
  expect(lines[0]).toContain(`/t-0/${SEGMENT}:0 baseOffset: 0 lastOffset: 1 recordCount: 2`);
  expect(lines[1]).toContain('baseOffset: 2 lastOffset: 2 recordCount: 1');
  expect(lines[1]).toContain('compression: none');
});

test('with --records every record follows its batch', async () => {
  const { stdout } = await varve(['log', 'dump', '/t-0', '--records'], { env });
  const lines = stdout.trimEnd().split('\n');
  expect(lines).toHaveLength(5);
  expect(lines[1]).toBe('  {"offset":0,"timestamp":1000,"key":null,"value":"a","headers":[]}');
  expect(lines[4]).toBe('  {"offset":2,"timestamp":1002,"key":null,"value":"c","headers":[]}');
});

test('with --json every line is JSON', async () => {
  const { stdout } = await varve(['log', 'dump', '/t-0', '--records', '--json'], { env });
  const lines = stdout.trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line).type).join()).toBe(
    'batch,record,record,batch,record',
  );
  expect(JSON.parse(lines[0]!)).toMatchObject({
    file: `/t-0/${SEGMENT}`,
    position: 0,
    baseOffset: 0,
    recordCount: 2,
    isControl: false,
  });
});

test('what is damaged is told with file and position, after what is sound', async () => {
  const broken = memoryEnv();
  const [, second] = await writePartition(broken.files, '/t-0', [['a'], ['b']]);
  await flipByte(broken.files, `/t-0/${SEGMENT}`, second! + 62);
  const { code, stdout, stderr } = await varve(['log', 'dump', '/t-0'], { env: broken });
  expect(code).toBe(1);
  expect(stdout.trimEnd().split('\n')).toHaveLength(1);
  expect(stderr.trimEnd().split('\n')).toEqual([
    `varve: /t-0/${SEGMENT}:${second}: a batch fails its checksum`,
    'varve: /t-0 is damaged in one place',
  ]);
});

test('a folder that is none of a partition is told so', async () => {
  expect(await varve(['log', 'dump', '/missing'], { env })).toEqual({
    code: 1,
    stdout: '',
    stderr: 'varve: /missing: there is no such folder\n',
  });
  const file = await varve(['log', 'dump', `/t-0/${SEGMENT}`], { env });
  expect(file.stderr).toBe(`varve: /t-0/${SEGMENT}: this is not a folder\n`);
  await env.files.makeDirectory('/empty');
  const empty = await varve(['log', 'dump', '/empty'], { env });
  expect(empty.code).toBe(1);
  expect(empty.stderr).toContain('/empty holds neither segments');
});

test('a reader that has seen enough is no failure', async () => {
  const stdout = new BrokenPipe(0);
  const finished = await varve(['log', 'dump', '/t-0'], { env, stdout });
  expect(finished).toEqual({ code: 0, stdout: '', stderr: '' });
});
