import { expect, test } from 'vitest';
import type { Env, KeyValueStore } from '../../../src/env/ports.ts';
import { EveryFate, RandomFate } from '../../simulation/env/fate.ts';
import { SimulatedRandom } from '../../simulation/env/simulated-random.ts';
import { UnsyncedBatches } from '../../simulation/env/unsynced-batches.ts';
import { bytes, outcomes, SEEDS } from './machine.ts';

const put = (store: KeyValueStore, keys: string, sync = false): Promise<void> =>
  store.batch(
    [...keys].map((key) => ({ type: 'put', key: bytes(key), value: bytes('x') }) as const),
    { sync },
  );

async function durableStore(env: Env): Promise<KeyValueStore> {
  const store = await env.stores.open('/s');
  await env.files.syncDirectory('/');
  return store;
}

/** The keys in the store; `gone` if its folder is. */
async function keysOf(env: Env): Promise<string> {
  if ((await env.files.stat('/s')) === undefined) return 'gone';
  const store = await env.stores.open('/s');
  let keys = '';
  for await (const [key] of store.entries({ from: bytes(''), to: bytes('~') })) {
    keys += Buffer.from(key).toString();
  }
  return keys;
}

test('a synced batch survives every power cut, whole', async () => {
  const seen = await outcomes(
    async ({ env }) => put(await durableStore(env), 'abc', true),
    'power',
    keysOf,
  );
  expect(seen).toEqual(new Map([['abc', SEEDS]]));
});

test('a store whose folder is not synced vanishes sometimes, synced batches and all', async () => {
  const seen = await outcomes(
    async ({ env }) => put(await env.stores.open('/s'), 'a', true),
    'power',
    keysOf,
  );
  expect([...seen.keys()].sort()).toEqual(['a', 'gone']);
});

test('of unsynced batches any survive a power cut, each whole or not at all', async () => {
  const seen = await outcomes(
    async ({ env }) => {
      const store = await durableStore(env);
      await put(store, 'a', true);
      await put(store, 'bc');
      await put(store, 'de');
    },
    'power',
    keysOf,
  );
  for (const keys of ['a', 'abc', 'abcde']) expect(seen.get(keys)).toBeGreaterThan(10);
  for (const keys of seen.keys()) expect(keys).toMatch(/^a(bc)?(de)?$/);
});

test('within one log file batches survive from the first on, and some after a hole', () => {
  const holes = new Set<boolean>();
  for (let seed = 0; seed < SEEDS; seed++) {
    const batches = new UnsyncedBatches();
    for (let i = 0; i < 10; i++) {
      batches.record([{ type: 'put', key: Uint8Array.of(i), value: bytes('') }]);
    }
    const left = batches.cut(new RandomFate(new SimulatedRandom(seed)));
    const keys = left.range({ from: Uint8Array.of(0), to: Uint8Array.of(10) });
    holes.add(keys.some(([key], i) => key[0] !== i));
  }
  expect([...holes].sort()).toEqual([false, true]);
});

test('a sync covers everything in its log file, so nothing before it is missing', () => {
  const fate = new EveryFate();
  const seen = new Set<string>();
  while (fate.next()) {
    const batches = new UnsyncedBatches();
    for (const key of [0, 1, 2, 3]) {
      if (key === 3) batches.sync();
      batches.record([{ type: 'put', key: Uint8Array.of(key), value: bytes('') }]);
    }
    const left = batches.cut(fate);
    const keys = left.range({ from: Uint8Array.of(0), to: Uint8Array.of(10) });
    seen.add(keys.map(([key]) => key[0]).join(''));
  }
  expect([...seen].sort()).toEqual(['012', '0123']);
});

test('a process crash keeps unsynced batches', async () => {
  const seen = await outcomes(
    async ({ env }) => put(await durableStore(env), 'abc'),
    'process',
    keysOf,
  );
  expect(seen).toEqual(new Map([['abc', SEEDS]]));
});

test('a batch that a crash interrupts is there whole or not at all', async () => {
  for (const crash of ['process', 'power'] as const) {
    const seen = await outcomes(
      async ({ env }) => void put(await durableStore(env), 'abc', true),
      crash,
      keysOf,
    );
    expect([...seen.keys()].sort()).toEqual(['', 'abc']);
  }
});

test('a synced batch mostly saves those before it, but not if the log file changed between', async () => {
  const seen = await outcomes(
    async ({ env }) => {
      const store = await durableStore(env);
      await put(store, 'a');
      await put(store, 'b', true);
    },
    'power',
    keysOf,
  );
  expect([...seen.keys()].sort()).toEqual(['ab', 'b']);
  expect(seen.get('ab')).toBeGreaterThan(SEEDS / 2);
});

test('an empty batch syncs nothing', async () => {
  const seen = await outcomes(
    async ({ env }) => {
      const store = await durableStore(env);
      await put(store, 'a');
      await put(store, '', true);
    },
    'power',
    keysOf,
  );
  expect([...seen.keys()].sort()).toEqual(['', 'a']);
});

test('batches that are under way at once are applied in any order', async () => {
  const seen = await outcomes(
    async ({ env }) => {
      const store = await durableStore(env);
      await Promise.all([
        store.batch([{ type: 'put', key: bytes('a'), value: bytes('x') }], { sync: false }),
        store.batch([{ type: 'delete', key: bytes('a') }], { sync: false }),
      ]);
    },
    'process',
    keysOf,
  );
  expect([...seen.keys()].sort()).toEqual(['', 'a']);
});
