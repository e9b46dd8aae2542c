import { expect, test } from 'vitest';
import type { CommandContext } from '../../../../src/cli/command-context.ts';
import { Interrupted } from '../../../../src/cli/exit-code.ts';
import { memoryEnv } from '../../../../src/env/memory-env.ts';
import { varve } from '../run-varve.ts';

/** Processes that do what a test says. */
function processes() {
  const started: string[][] = [];
  const ends: ((how: number | string) => void)[] = [];
  const readies: ((isReady: boolean) => void)[] = [];
  const stopped: number[] = [];
  const spawnNode: CommandContext['spawnNode'] = async (args, onLog) => {
    const at = started.push([...args]) - 1;
    const ready = Promise.withResolvers<boolean>();
    const ended = Promise.withResolvers<number | string>();
    readies.push(ready.resolve);
    ends.push((how) => {
      ready.resolve(false);
      ended.resolve(how);
    });
    onLog(`hello of ${at + 1}`);
    const stop = (): void => {
      stopped.push(at + 1);
      ready.resolve(false);
      ended.resolve(0);
    };
    return { ready: ready.promise, ended: ended.promise, stop };
  };
  return { started, ends, readies, stopped, spawnNode };
}

const optionOf = (args: readonly string[], name: string) => args[args.indexOf(name) + 1];

test('three nodes are told of each other, and of ports and folders of their own', async () => {
  const { started, readies, ends, spawnNode } = processes();
  const finished = varve(['local', '--data-dir', '/d', '--set', 'a.b=c'], { spawnNode });
  await expect.poll(() => started.length).toBe(3);
  for (const ready of readies) ready(true);
  for (const end of ends) end(0);
  const { code, stdout, stderr } = await finished;
  expect([code, stdout.split('\n')[0]]).toEqual([0, 'varve is ready: 3 nodes']);
  const voters = '1@127.0.0.1:9093,2@127.0.0.1:9103,3@127.0.0.1:9113';
  expect(started.map((args) => optionOf(args, '--voters'))).toEqual([voters, voters, voters]);
  expect(started.map((args) => optionOf(args, '--data-dir'))).toEqual([
    '/d/node-1',
    '/d/node-2',
    '/d/node-3',
  ]);
  expect(started[1]).toEqual(expect.arrayContaining(['--node-id', '2', '127.0.0.1:9103']));
  expect(started[2]).toEqual(expect.arrayContaining(['127.0.0.1:9112', '127.0.0.1:9115', 'a.b=c']));
  expect(stderr).toContain('[2] hello of 2\n');
  expect(stderr).toContain('node 3 has ended with 0\n');
});

test('one node has the folder for itself, and no peers', async () => {
  const { started, readies, ends, spawnNode } = processes();
  const finished = varve(['local', '--nodes', '1', '--data-dir', '/d'], { spawnNode });
  await expect.poll(() => started.length).toBe(1);
  readies[0]!(true);
  ends[0]!('SIGKILL');
  const { stdout, stderr } = await finished;
  expect(started[0]).not.toContain('--voters');
  expect(optionOf(started[0]!, '--data-dir')).toBe('/d');
  expect(stdout).toContain('one node');
  expect(stderr).toBe('hello of 1\nnode 1 has ended with SIGKILL\n');
});

test('a node that does not start ends the others', async () => {
  const { started, readies, ends, stopped, spawnNode } = processes();
  const finished = varve(['local', '--data-dir', '/d'], { spawnNode });
  await expect.poll(() => started.length).toBe(3);
  readies[0]!(true);
  // The third waits for the second.
  ends[1]!(1);
  const { code, stderr } = await finished;
  expect([code, stopped]).toEqual([1, [1, 3]]);
  expect(stderr).toContain('varve: node 2 did not start\n');
});

test('a signal stops all, also while they start', async () => {
  const { started, stopped, spawnNode } = processes();
  const controller = new AbortController();
  const finished = varve(['local', '--data-dir', '/d'], {
    spawnNode,
    signal: controller.signal,
  });
  await expect.poll(() => started.length).toBe(3);
  controller.abort(new Interrupted('SIGINT'));
  expect(stopped).toEqual([1, 2, 3]);
  expect((await finished).code).toBe(0);
});

test('the folder of a single node is not taken for one of a cluster', async () => {
  const env = memoryEnv();
  await env.files.makeDirectory('/d');
  await (await env.files.open('/d/identity.json', 'create')).close();
  const { started, spawnNode } = processes();
  const { code, stderr } = await varve(['local', '--data-dir', '/d'], { env, spawnNode });
  expect([code, started]).toEqual([78, []]);
  expect(stderr).toContain('/d holds the data of a single node: go on with it by --nodes 1');
});
