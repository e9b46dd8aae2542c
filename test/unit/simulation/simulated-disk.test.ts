import { expect, test } from 'vitest';
import type { FileError } from '../../../src/env/ports.ts';
import { simulatedEnv } from '../../simulation/env/simulated-env.ts';
import { bytes, durableFile, outcomes, SEEDS, textOf } from './machine.ts';

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'ok',
    (error: FileError) => error.code,
  );

test('a planned fault meets the operations it names, as often as it says', async () => {
  const { disk, env, scheduler } = simulatedEnv({ seed: 1 });
  const codes = await scheduler.complete(
    (async () => {
      const log = await durableFile(env, '/0.log', bytes(''));
      const index = await durableFile(env, '/0.index', bytes(''));
      disk.plan({ operation: 'write', path: /\.log$/, code: 'ENOSPC', times: 2 });
      disk.plan({ operation: 'sync', path: /\.index$/, code: 'EIO' });
      const seen: string[] = [];
      for (const file of [log, index]) {
        for (let i = 0; i < 3; i++) seen.push(await codeOf(file.write(0, [bytes('x')])));
        seen.push(await codeOf(file.sync()), await codeOf(file.sync()));
      }
      return seen;
    })(),
  );
  expect(codes.slice(0, 5)).toEqual(['ENOSPC', 'ENOSPC', 'ok', 'ok', 'ok']);
  expect(codes.slice(5)).toEqual(['ok', 'ok', 'ok', 'EIO', 'ok']);
});

test('a sticky fault stays until faults are cleared, and a delay only delays', async () => {
  const { disk, env, scheduler } = simulatedEnv({ seed: 1 });
  disk.plan({ operation: 'makeDirectory', path: /a/, code: 'EROFS', times: Infinity });
  disk.plan({ operation: 'makeDirectory', path: /b/, delayMs: 60_000 });
  for (let i = 0; i < 5; i++) {
    expect(await scheduler.complete(codeOf(env.files.makeDirectory('/a')))).toBe('EROFS');
  }
  disk.clearFaults();
  expect(await scheduler.complete(codeOf(env.files.makeDirectory('/a')))).toBe('ok');
  disk.plan({ operation: 'makeDirectory', path: /b/, delayMs: 60_000 });
  expect(await scheduler.complete(codeOf(env.files.makeDirectory('/b')))).toBe('ok');
  expect(scheduler.nowMs).toBeGreaterThan(60_000);
});

const put = [{ type: 'put', key: bytes('a'), value: bytes('x') }] as const;

test('a store that could not write has not applied the batch; who opens it anew may find it', async () => {
  const seen = await outcomes(
    async ({ env, machine }) => {
      const store = await env.stores.open('/s');
      await env.files.syncDirectory('/');
      machine.disk.plan({ operation: 'writeStore', path: /s/, code: 'EIO' });
      expect(await codeOf(store.batch(put, { sync: false }))).toBe('LEVEL_IO_ERROR');
      expect(await store.get(bytes('a'))).toBeUndefined();
      expect(await codeOf(store.batch([], { sync: true }))).toBe('ok');
    },
    'process',
    async (env) => (await (await env.stores.open('/s')).get(bytes('a'))) !== undefined,
  );
  expect([...seen.keys()].sort()).toEqual([false, true]);
});

test('a store that could not sync writes nothing more until it is opened anew', async () => {
  const { disk, env, scheduler } = simulatedEnv({ seed: 1 });
  const batch = async (): Promise<string> => {
    const store = await env.stores.open('/s');
    disk.plan({ operation: 'syncStore', path: /s/, code: 'ENOSPC' });
    const codes = [await codeOf(store.batch(put, { sync: true }))];
    for (const sync of [true, false]) codes.push(await codeOf(store.batch(put, { sync })));
    await store.close();
    codes.push(await codeOf((await env.stores.open('/s')).batch(put, { sync: true })));
    return codes.join();
  };
  expect(await scheduler.complete(batch())).toBe('LEVEL_IO_ERROR,LEVEL_IO_ERROR,LEVEL_IO_ERROR,ok');
});

test('a full disk takes what fits of a write, makes no file, and room that is made counts', async () => {
  const { disk, env, scheduler } = simulatedEnv({ seed: 1 });
  const script = async (): Promise<void> => {
    const file = await durableFile(env, '/a', bytes('12345'));
    disk.faults.spaceLeft = 3;
    expect(await codeOf(file.write(2, [bytes('abcdefgh')]))).toBe('ENOSPC');
    expect(await textOf(env, '/a')).toBe('12abcdef');
    expect(await codeOf(file.write(0, [bytes('over')]))).toBe('ok');
    expect(await codeOf(env.files.open('/b', 'create'))).toBe('ENOSPC');
    expect(await codeOf(env.files.open('/a', 'create'))).toBe('ok');
    const store = await env.stores.open('/s');
    expect(await codeOf(store.batch(put, { sync: true }))).toBe('LEVEL_IO_ERROR');
    await file.truncate(4);
    expect(await codeOf(file.write(4, [bytes('xyz')]))).toBe('ok');
    await env.files.removeFile('/a');
    expect(await codeOf(env.files.open('/b', 'create'))).toBe('ok');
  };
  await scheduler.complete(script());
});

test('a stuck operation never ends, and others go on', async () => {
  const { disk, env, scheduler } = simulatedEnv({ seed: 1 });
  const file = await scheduler.complete(durableFile(env, '/a', bytes('x')));
  disk.plan({ operation: 'sync', path: /a/, isStuck: true });
  let isDone = false;
  void file.sync().then(() => {
    isDone = true;
  });
  expect(await scheduler.complete(codeOf(env.files.syncDirectory('/')))).toBe('ok');
  await scheduler.run(1e9);
  expect(isDone).toBe(false);
});

test('a fault of no particular operation meets the next one that changes the disk', async () => {
  const { disk, env, scheduler } = simulatedEnv({ seed: 1 });
  const met: unknown[] = [];
  const fault = { path: /a/, code: 'EROFS' };
  disk.faults.onMet = (each) => met.push(each);
  disk.plan(fault);
  const codes = async (): Promise<string[]> => [
    await codeOf(env.files.stat('/a')),
    await codeOf(env.files.list('/')),
    await codeOf(env.files.makeDirectory('/a')),
    await codeOf(env.files.syncDirectory('/')),
  ];
  expect(await scheduler.complete(codes())).toEqual(['ok', 'ok', 'EROFS', 'ok']);
  expect(met).toEqual([fault]);
});

test('a write is seen in part while it is under way, sometimes', async () => {
  const seen = new Set<string>();
  for (let seed = 0; seed < SEEDS; seed++) {
    const { env, scheduler } = simulatedEnv({ seed });
    const file = await scheduler.complete(durableFile(env, '/a', bytes('...')));
    const written = file.write(0, [bytes('abc')]);
    for (let look = 0; look < 4; look++) seen.add(await scheduler.complete(textOf(env, '/a')));
    await scheduler.complete(written);
    expect(await scheduler.complete(textOf(env, '/a'))).toBe('abc');
  }
  expect([...seen].sort()).toEqual(['...', 'a..', 'ab.', 'abc']);
});

test('a write that failed has written the beginning, or nothing, or all', async () => {
  const seen = await outcomes(
    async ({ env, machine }) => {
      const file = await durableFile(env, '/a', bytes('...'));
      machine.disk.plan({ operation: 'write', path: /a/, code: 'EIO' });
      await codeOf(file.write(0, [bytes('abc')]));
    },
    'process',
    (env) => textOf(env, '/a'),
  );
  expect([...seen.keys()].sort()).toEqual(['...', 'a..', 'ab.', 'abc']);
});

test('after a sync that failed the next one succeeds and has not saved what the first lost', async () => {
  const script = async (run: Parameters<Parameters<typeof outcomes>[0]>[0]): Promise<void> => {
    const file = await durableFile(run.env, '/a', bytes('old'));
    await file.write(0, [bytes('new')]);
    run.machine.disk.plan({ operation: 'sync', path: /a/, code: 'EIO' });
    expect(await codeOf(file.sync())).toBe('EIO');
    expect(await codeOf(file.sync())).toBe('ok');
  };
  const cut = await outcomes(script, 'power', (env) => textOf(env, '/a'));
  expect([...cut.keys()].sort()).toEqual(['ned', 'new', 'nld', 'old']);
  const killed = await outcomes(script, 'process', (env) => textOf(env, '/a'));
  expect(killed).toEqual(new Map([['new', SEEDS]]));
});

test('after a sync that failed a later one saves what was written in between, page by page', async () => {
  const page = (letter: string): Uint8Array => bytes(letter.repeat(512));
  const seen = await outcomes(
    async ({ env, machine }) => {
      const file = await durableFile(env, '/a', bytes('.'.repeat(3 * 512)));
      await file.write(0, [page('a'), page('a')]);
      machine.disk.plan({ operation: 'sync', path: /a/, code: 'EIO' });
      expect(await codeOf(file.sync())).toBe('EIO');
      await file.write(600, [bytes('b')]);
      await file.write(3 * 512, [bytes('b')]);
      await file.sync();
    },
    'power',
    async (env) => {
      const text = await textOf(env, '/a');
      return [0, 512, 600, 1024, 1536].map((at) => text[at]).join('');
    },
  );
  expect([...seen.keys()].sort()).toEqual(['.ab.b', 'aab.b']);
});

test('a sync that is dropped succeeds and does nothing', async () => {
  const script =
    (dropped: string) =>
    async ({ env, machine }: Parameters<Parameters<typeof outcomes>[0]>[0]): Promise<void> => {
      machine.disk.onSync = (kind) => (kind === dropped ? 'drop' : undefined);
      const file = await durableFile(env, '/a', bytes('x'));
      await file.close();
      const store = await env.stores.open('/s');
      await env.files.syncDirectory('/');
      await store.batch([{ type: 'put', key: bytes('k'), value: bytes('v') }], { sync: true });
    };
  const seen = async (dropped: string): Promise<string[]> => {
    const counts = await outcomes(script(dropped), 'power', async (env) => {
      const store = await env.stores.open('/s');
      const value = (await store.get(bytes('k'))) === undefined ? 'no batch' : 'batch';
      return `${await textOf(env, '/a')} ${value}`;
    });
    return [...counts.keys()].sort();
  };
  expect(await seen('none')).toEqual(['x batch']);
  expect(await seen('file')).toEqual(['\0 batch', ' batch', 'x batch']);
  expect(await seen('store')).toEqual(['x batch', 'x no batch']);
  expect(await seen('directory')).toEqual(['gone batch', 'gone no batch', 'x batch', 'x no batch']);
});

test('the hook of syncs is told what, where and by which line of the program', async () => {
  const { disk, env, scheduler } = simulatedEnv({ seed: 1 });
  const told: string[] = [];
  disk.onSync = (kind, path, stack) => {
    told.push(`${kind} ${path} ${stack.includes('durableFile')}`);
    return undefined;
  };
  await scheduler.complete(durableFile(env, '/a', bytes('x')));
  expect(told).toEqual(['file /a true', 'directory / true']);
});
