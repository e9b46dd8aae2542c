import { expect, test } from 'vitest';
import { crc32c } from '../../../src/codec/crc32c.ts';
import { memoryEnv } from '../../../src/env/memory-env.ts';
import type { Env, KeyValueStores, StoreOperation } from '../../../src/env/ports.ts';
import { encodeMetadataRecord } from '../../../src/metadata/metadata-record-codec.ts';
import { DamagedMetadataError } from '../../../src/quorum/damaged-metadata-error.ts';
import { encodeRecords } from '../../../src/quorum/quorum-entry.ts';
import { RaftStorage } from '../../../src/quorum/raft-storage.ts';
import type { DiskState } from '../../simulation/env/disk-state.ts';
import { EveryFate } from '../../simulation/env/fate.ts';
import { SimulatedMachine, simulatedEnv } from '../../simulation/env/simulated-env.ts';
import {
  batchOf,
  bytes,
  command,
  memoryOf,
  metaAt,
  story,
  threeVoters,
  vote,
} from '../../support/storage-story.ts';

/** A moment at which the disk changes, and what may be remembered if the machine dies there. */
interface Moment {
  readonly disk: DiskState;
  readonly possible: readonly string[];
}

/** Every moment of the story on a simulated disk. */
async function momentsOfStory(): Promise<Moment[]> {
  const { env, scheduler, disk } = simulatedEnv({ seed: 1 });
  await scheduler.complete(env.files.makeDirectory('/data'));
  await scheduler.complete(env.files.syncDirectory('/'));
  const moments: Moment[] = [];
  let possible = ['nothing'];
  disk.onChange = () => moments.push({ disk: disk.state.clone(), possible });
  const { storage } = await scheduler.complete(RaftStorage.open(env, '/data'));
  for (const { run, after } of story) {
    possible = [possible.at(-1)!, after];
    await scheduler.complete(run(storage));
  }
  await scheduler.complete(storage.close());
  return moments;
}

async function memoryAfter(disk: DiskState, onChange?: (state: DiskState) => void) {
  const machine = new SimulatedMachine({ seed: 1, disk });
  if (onChange !== undefined) machine.disk.onChange = () => onChange(machine.disk.state.clone());
  const { loaded } = await machine.scheduler.complete(RaftStorage.open(machine.env, '/data'));
  return memoryOf(loaded);
}

/** A power cut at a moment, in every way that the disk may take it. */
async function eachCut({ disk, possible }: Moment, check: (memory: string) => void) {
  const fate = new EveryFate();
  while (fate.next()) {
    const left = disk.clone();
    left.cut(fate);
    const memory = await memoryAfter(left);
    expect(possible).toContain(memory);
    check(memory);
  }
  return fate.ways;
}

test('a power cut at any moment leaves what was durable, with or without the write under way', async () => {
  const seen = new Set<string>();
  let ways = 0;
  for (const moment of await momentsOfStory()) {
    ways += await eachCut(moment, (memory) => seen.add(memory));
  }
  expect(seen).toEqual(new Set(story.map(({ after }) => after)));
  expect(ways).toBeGreaterThan(150);
});

test('what a dead process has left and the next one has found outlives a power cut after that', async () => {
  let [ways, ahead] = [0, 0];
  for (const { disk } of await momentsOfStory()) {
    const moments: DiskState[] = [];
    // All that was written is there; it may be in the page cache only.
    const found = await memoryAfter(disk.clone(), (state) => moments.push(state));
    const done = moments.at(-1);
    if (done === undefined) continue;
    ways += await eachCut({ disk: done, possible: [found] }, () => {});
    const atAnyTime = story.map(({ after }) => after);
    for (const moment of moments) {
      ahead += await eachCut({ disk: moment, possible: atAnyTime }, () => {});
    }
  }
  expect(ways).toBeGreaterThan(30);
  expect(ahead).toBeGreaterThan(ways);
});

/** An env whose stores note their batches. */
function noting(env: Env, batches: (readonly StoreOperation[])[]): Env {
  const stores: KeyValueStores = {
    async open(path) {
      const store = await env.stores.open(path);
      return {
        get: (key) => store.get(key),
        entries: (range) => store.entries(range),
        close: () => store.close(),
        batch(operations, options) {
          batches.push(operations);
          return store.batch(operations, options);
        },
      };
    },
  };
  return { ...env, stores };
}

test('a store that has lost its last batches, or any in its middle, is refused or lacks nothing', async () => {
  const env = memoryEnv();
  await env.files.makeDirectory('/data');
  const batches: (readonly StoreOperation[])[] = [];
  const { storage } = await RaftStorage.open(noting(env, batches), '/data');
  for (const { run } of story) await run(storage);
  await storage.close();
  const file = await env.files.readFile('/data/hard-state');
  const whole = story.at(-1)!.after;
  let refused = 0;
  for (let from = 0; from < batches.length; from++) {
    for (let to = from + 1; to <= batches.length; to++) {
      const rotten = memoryEnv();
      await rotten.files.makeDirectory('/data');
      const copy = await rotten.files.open('/data/hard-state', 'create');
      await copy.write(0, [file]);
      const store = await rotten.stores.open('/data/metadata');
      for (const [at, operations] of batches.entries()) {
        if (at < from || at >= to) await store.batch(operations, { sync: true });
      }
      await store.close();
      try {
        const { loaded } = await RaftStorage.open(rotten, '/data');
        expect(memoryOf(loaded), `without ${from} to ${to}`).toBe(whole);
      } catch (error) {
        if (!(error instanceof DamagedMetadataError)) throw error;
        refused++;
      }
    }
  }
  expect(refused).toBeGreaterThan(20);
});

test('a truncation is lawful, however far it goes back', async () => {
  const env = memoryEnv();
  await env.files.makeDirectory('/data');
  const { storage } = await RaftStorage.open(env, '/data');
  await storage.begin(threeVoters);
  const entries = Array.from({ length: 100 }, (_, i) => command(i + 1, 1));
  await storage.write(batchOf({ hardState: vote(1, 1), entries }));
  await storage.write(
    batchOf({ hardState: vote(2, null), truncateFrom: 1, entries: [command(1, 2)] }),
  );
  await storage.close();
  expect(memoryOf((await RaftStorage.open(env, '/data')).loaded)).toBe('e2 v- 1@2');
});

test('a vote names the directory that it was given to', async () => {
  const env = memoryEnv();
  await env.files.makeDirectory('/data');
  const { storage } = await RaftStorage.open(env, '/data');
  await storage.begin(null);
  await storage.write(batchOf({ hardState: vote(7, 3) }));
  await storage.close();
  const { loaded } = await RaftStorage.open(env, '/data');
  expect(loaded).toMatchObject({ hardState: vote(7, 3), snapshot: null, entries: [] });
});

test('each write is one synced batch of the store and one sync of the file', async () => {
  const { env, scheduler, disk } = simulatedEnv({ seed: 1 });
  await scheduler.complete(env.files.makeDirectory('/data'));
  const { storage } = await scheduler.complete(RaftStorage.open(env, '/data'));
  const syncs: string[] = [];
  disk.onSync = (kind) => {
    syncs.push(kind);
    return undefined;
  };
  const counts: number[] = [];
  for (const { run } of story) {
    syncs.length = 0;
    await scheduler.complete(run(storage));
    counts.push(syncs.length);
  }
  // Making the file, and snapshots of this node itself, which are not synced.
  expect(counts).toEqual([2, 2, 2, 2, 2, 0, 2, 2, 2, 2, 2, 0, 2]);
});

test('a snapshot is read in pieces until another takes its place', async () => {
  const env = memoryEnv();
  await env.files.makeDirectory('/data');
  const { storage } = await RaftStorage.open(env, '/data');
  await storage.begin(threeVoters);
  await storage.write(batchOf({ entries: [command(1, 0), command(2, 0)] }));
  await storage.saveSnapshot(metaAt(1, 0), [bytes('a'), bytes('b')]);
  const first = await storage.readPiece(1, 0, 10);
  expect(first).toMatchObject({ isLast: false });
  expect(first?.bytes).toHaveLength(10);
  expect(await storage.readPiece(1, 10, 1000)).toMatchObject({ isLast: true });
  expect(await storage.readPiece(1, 1000, 10)).toBeNull();
  await storage.saveSnapshot(metaAt(2, 0), []);
  expect(await storage.readPiece(1, 0, 10)).toBeNull();
});

/** Puts a value with its checksum, as the version before Raft wrote it. */
function older(key: number[], hex: string, coversKey: boolean): StoreOperation {
  const body = Buffer.from(hex, 'hex');
  const seed = coversKey ? crc32c(Uint8Array.from(key.slice(1))) : 0;
  const value = Buffer.concat([Buffer.alloc(4), body]);
  value.writeUInt32BE(crc32c(body, seed));
  return { type: 'put', key: Uint8Array.from(key), value: new Uint8Array(value) };
}

const hexOf = (value: Uint8Array): string => Buffer.from(value).toString('hex');

/** The data directory of a node 1 that has led epoch 3 up to entry 3, before Raft. */
async function olderDirectory(vouchedIndex: number): Promise<Env> {
  const env = memoryEnv();
  await env.files.makeDirectory('/data');
  const cluster = encodeMetadataRecord({
    ...{ type: 'cluster', format: 1, clusterId: 'c', directoryId: 'directory-1' },
  });
  const entry = (index: number): number[] => [0x65, 0, 0, 0, 0, 0, 0, 0, index];
  const store = await env.stores.open('/data/metadata');
  const three = '0000000000000003';
  const ends = ['00000003', '00000001', three, three].join('');
  await store.batch(
    [
      older(entry(1), '00000001' + '01' + '00000001', true),
      older(entry(2), `00000001${'02'}${hexOf(encodeRecords([cluster]))}`, true),
      older(entry(3), '00000003' + '01' + '00000001', true),
      older([0x68], ends, false),
    ],
    { sync: true },
  );
  await store.close();
  const file = await env.files.open('/data/hard-state', 'create');
  const index = vouchedIndex.toString(16).padStart(16, '0');
  const epoch = vouchedIndex === 3 ? '00000003' : '00000001';
  const slot = older([], `0000000000000002${epoch}${'00000001'}${index}${index}`, false);
  if (slot.type === 'put') await file.write(0, [slot.value, new Uint8Array(8192)]);
  await file.close();
  return env;
}

test('a data directory of the time before Raft has one voter, which is this node', async () => {
  for (const vouched of [2, 3]) {
    const env = await olderDirectory(vouched);
    const { storage, loaded } = await RaftStorage.open(env, '/data');
    expect(memoryOf(loaded)).toBe('e3 v1 1@1 2@1 3@3');
    expect(loaded?.snapshot).toEqual({
      last: { index: 0, epoch: 0 },
      configuration: { voters: [threeVoters.voters[0]], learners: [] },
      configurationIndex: 0,
    });
    await storage.write(batchOf({ hardState: vote(4, 1) }));
    await storage.write(batchOf({ entries: [command(4, 4)] }));
    await storage.close();
    const again = await RaftStorage.open(env, '/data');
    expect(memoryOf(again.loaded)).toBe('e4 v1 1@1 2@1 3@3 4@4');
    expect(again.loaded?.isOlder).toBe(false);
    await again.storage.close();
  }
});

test('a file that vouches for more than a store of the time before Raft has is refused', async () => {
  const env = await olderDirectory(4);
  await expect(RaftStorage.open(env, '/data')).rejects.toThrow(DamagedMetadataError);
});
