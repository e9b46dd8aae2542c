import { expect, test } from 'vitest';
import type { Env } from '../../../src/env/ports.ts';
import { simulatedEnv } from '../../simulation/env/simulated-env.ts';
import { bytes, durableFile, outcomes, SEEDS, textOf } from './machine.ts';

/** All files and folders with their content, in one line. */
async function treeOf(env: Env, folder = '/'): Promise<string> {
  const parts: string[] = [];
  for (const name of await env.files.list(folder)) {
    const path = `${folder}${name}`;
    const stat = await env.files.stat(path);
    if (stat?.kind === 'directory') parts.push(`${name}/[${await treeOf(env, `${path}/`)}]`);
    else parts.push(`${name}=${await textOf(env, path)}`);
  }
  return parts.join(' ');
}

const keys = (seen: Map<string, number>): string[] => [...seen.keys()].sort();

async function syncedFile(env: Env, path: string, content: string): Promise<void> {
  const file = await env.files.open(path, 'create');
  await file.write(0, [bytes(content)]);
  await file.sync();
  await file.close();
}

test('a synced file without a synced name vanishes sometimes, and is whole if it does not', async () => {
  const seen = await outcomes(
    ({ env }) => syncedFile(env, '/a', 'hello'),
    'power',
    (env) => treeOf(env),
  );
  expect(keys(seen)).toEqual(['', 'a=hello']);
});

test('a synced name without synced content stays, sometimes empty or of zeros', async () => {
  const seen = await outcomes(
    async ({ env }) => {
      const file = await env.files.open('/a', 'create');
      await file.write(0, [bytes('hello')]);
      await env.files.syncDirectory('/');
    },
    'power',
    (env) => treeOf(env),
  );
  for (const content of keys(seen)) expect(content).toMatch(/^a=(h|he|hel|hell|hello)?\0*$/);
  for (const content of ['a=', 'a=\0\0\0\0\0', 'a=hello']) {
    expect(seen.has(content)).toBe(true);
  }
});

test('a synced name in a folder whose own name is not synced vanishes with it', async () => {
  const seen = await outcomes(
    async ({ env }) => {
      await env.files.makeDirectory('/d');
      await syncedFile(env, '/d/a', 'x');
      await env.files.syncDirectory('/d');
    },
    'power',
    (env) => treeOf(env),
  );
  expect(keys(seen)).toEqual(['', 'd/[a=x]']);
});

test('names survive independently of each other until their folder is synced', async () => {
  const script = async (env: Env): Promise<void> => {
    for (const path of ['/a', '/b', '/c']) await syncedFile(env, path, '');
  };
  const seen = await outcomes(
    ({ env }) => script(env),
    'power',
    (env) => treeOf(env),
  );
  expect(seen.size).toBe(8);
  const synced = await outcomes(
    async ({ env }) => {
      await script(env);
      await env.files.syncDirectory('/');
    },
    'power',
    (env) => treeOf(env),
  );
  expect(synced).toEqual(new Map([['a= b= c=', SEEDS]]));
});

test('a sync of a folder covers the changes that ended before it began', async () => {
  const seen = await outcomes(
    async ({ env }) => {
      await syncedFile(env, '/a', '');
      const late = env.files.makeDirectory('/late');
      await env.files.syncDirectory('/');
      await late;
    },
    'power',
    (env) => treeOf(env),
  );
  expect(keys(seen)).toEqual(['a=', 'a= late/[]']);
});

test('a removed file comes back sometimes, until its folder is synced', async () => {
  const script = async (env: Env): Promise<void> => {
    await (await durableFile(env, '/a', bytes('x'))).close();
    await env.files.removeFile('/a');
  };
  const seen = await outcomes(
    ({ env }) => script(env),
    'power',
    (env) => treeOf(env),
  );
  expect(keys(seen)).toEqual(['', 'a=x']);
  const synced = await outcomes(
    async ({ env }) => {
      await script(env);
      await env.files.syncDirectory('/');
    },
    'power',
    (env) => treeOf(env),
  );
  expect(synced).toEqual(new Map([['', SEEDS]]));
});

test('a rename survives whole or not at all', async () => {
  const seen = await outcomes(
    async ({ env }) => {
      await (await durableFile(env, '/a', bytes('new'))).close();
      await (await durableFile(env, '/b', bytes('old'))).close();
      await env.files.rename('/a', '/b');
    },
    'power',
    (env) => treeOf(env),
  );
  expect(keys(seen)).toEqual(['a=new b=old', 'b=new']);
});

test('the changes of one name survive in their order, without gaps', async () => {
  const seen = await outcomes(
    async ({ env }) => {
      await syncedFile(env, '/a', '1');
      await env.files.rename('/a', '/b');
      await syncedFile(env, '/a', '2');
      await env.files.removeFile('/b');
    },
    'power',
    (env) => treeOf(env),
  );
  expect(keys(seen)).toEqual(['', 'a=1', 'a=2', 'a=2 b=1', 'b=1']);
});

test('a file that was moved away is not lost to the one that took its name', async () => {
  const seen = await outcomes(
    async ({ env }) => {
      await (await durableFile(env, '/a', bytes('1'))).close();
      await env.files.rename('/a', '/b');
      await syncedFile(env, '/a', '2');
    },
    'power',
    (env) => treeOf(env),
  );
  expect(keys(seen)).toEqual(['a=1', 'a=2 b=1', 'b=1']);
});

test('a sync of the folder that a file was moved to removes its old name for good', async () => {
  const seen = await outcomes(
    async ({ env }) => {
      for (const path of ['/d', '/e']) await env.files.makeDirectory(path);
      await env.files.syncDirectory('/');
      await syncedFile(env, '/d/a', 'x');
      await env.files.rename('/d/a', '/e/a');
      await env.files.syncDirectory('/e');
    },
    'power',
    (env) => treeOf(env),
  );
  expect(seen).toEqual(new Map([['d/[] e/[a=x]', SEEDS]]));
});

test('files that are removed from a renamed folder can be missing under its old name', async () => {
  const seen = await outcomes(
    async ({ env }) => {
      await env.files.makeDirectory('/d');
      for (const name of ['x', 'y']) await syncedFile(env, `/d/${name}`, '');
      await env.files.syncDirectory('/');
      await env.files.syncDirectory('/d');
      await env.files.rename('/d', '/d-delete');
      await env.files.removeFile('/d-delete/x');
    },
    'power',
    (env) => treeOf(env),
  );
  expect(keys(seen)).toEqual(['d-delete/[x= y=]', 'd-delete/[y=]', 'd/[x= y=]', 'd/[y=]']);
});

test('a durable file is never lost by a move into a folder that is not durable', async () => {
  const script = async (env: Env): Promise<void> => {
    await (await durableFile(env, '/a', bytes('x'))).close();
    await env.files.makeDirectory('/d');
    await env.files.makeDirectory('/d/e');
    await env.files.rename('/a', '/d/e/a');
  };
  const seen = await outcomes(
    ({ env }) => script(env),
    'power',
    (env) => treeOf(env),
  );
  expect(keys(seen)).toEqual(['a=x', 'a=x d/[]', 'a=x d/[e/[]]', 'd/[e/[a=x]]']);
  const synced = await outcomes(
    async ({ env }) => {
      await script(env);
      await env.files.syncDirectory('/d/e');
    },
    'power',
    (env) => treeOf(env),
  );
  expect(synced).toEqual(new Map([['d/[e/[a=x]]', SEEDS]]));
});

test('a change of names that a crash interrupts has happened or not', async () => {
  const seen = await outcomes(
    async ({ env }) => {
      await (await durableFile(env, '/a', bytes('x'))).close();
      void env.files.rename('/a', '/b');
      void env.files.makeDirectory('/d');
    },
    'process',
    (env) => treeOf(env),
  );
  expect(keys(seen)).toEqual(['a=x', 'a=x d/[]', 'b=x', 'b=x d/[]']);
});

test('what a power cut left is durable: a second one changes nothing', async () => {
  for (let seed = 0; seed < SEEDS; seed++) {
    const machine = simulatedEnv({ seed });
    const { scheduler } = machine;
    await scheduler.complete(syncedFile(machine.env, '/a', 'x'));
    await scheduler.complete(machine.env.files.makeDirectory('/d'));
    machine.crash('power');
    const first = await scheduler.complete(treeOf(machine.restart()));
    machine.crash('power');
    expect(await scheduler.complete(treeOf(machine.restart()))).toBe(first);
  }
});
