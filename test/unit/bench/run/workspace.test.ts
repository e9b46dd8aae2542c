import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { announced, parseEvent, resultOf, Workspace } from '../../../../bench/run/workspace.ts';

function makeWorkspace(): Workspace {
  const workspace = new Workspace();
  onTestFinished(() => workspace.close());
  return workspace;
}

const script = (source: string, deadlineMs = 60_000) => ({
  name: 'a script',
  file: process.execPath,
  args: ['-e', source],
  deadlineMs,
});

describe('lines of load processes', () => {
  test('a line of JSON with an event is one, anything else is not', () => {
    expect(parseEvent('{"event":"ready","port":1}')).toEqual({ event: 'ready', port: 1 });
    for (const line of ['', 'ready', '{"port":1}', '{broken', '[1]']) {
      expect(parseEvent(line)).toBeUndefined();
    }
  });

  test('what the load of NATS prints at its end is read as its result', () => {
    const lines = ['{"event":"waiting"}', '{"event":"result","records":494000,"seconds":4.16}'];
    expect(resultOf(lines)).toMatchObject({ records: 494_000, seconds: 4.16 });
    expect(() => resultOf(['panic: no servers'])).toThrow('no result in: panic: no servers');
  });
});

describe('a workspace', () => {
  test('finds the line it waits for on either output, also one that came before', async () => {
    const child = makeWorkspace().start(
      script(
        `console.error('up'); console.log('{"event":"ready","port":7}'); setTimeout(() => {}, 60000)`,
      ),
    );
    expect(await child.seek(announced<{ port: number }>('ready'))).toMatchObject({ port: 7 });
    expect(await child.seek((line) => line === 'up' || undefined)).toBe(true);
    expect(await child.stop()).toBe(true);
  });

  test('a process that ends badly is reported with its name and what it said', async () => {
    const child = makeWorkspace().start(script(`console.error('no space left'); process.exit(3)`));
    await expect(child.output()).rejects.toThrow(/a script ended with exit code 3.*no space left/s);
    await expect(child.seek(() => undefined)).rejects.toThrow(/exit code 3/);
  });

  test('a program that is not there is reported, not thrown past', async () => {
    const child = makeWorkspace().start({
      name: 'nothing',
      file: '/nonexistent/program',
      args: [],
      deadlineMs: 60_000,
    });
    await expect(child.output()).rejects.toThrow(/nothing ended with .*ENOENT/);
  });

  test('a process that hangs is killed at its deadline', async () => {
    const child = makeWorkspace().start(script('setInterval(() => {}, 1000)', 100));
    await expect(child.output()).rejects.toThrow('no end within 0.1 s');
  });

  test('closing it kills its processes and removes its files', async () => {
    const workspace = makeWorkspace();
    const folder = workspace.makeFolder('data');
    const child = workspace.start(script('setInterval(() => {}, 1000)'));
    workspace.close();
    await child.ended;
    expect(existsSync(dirname(folder))).toBe(false);
  });
});
