import { expect, test } from 'vitest';
import type { Env, KeyValueStore, StoreOperation } from '../../src/env/ports.ts';
import { formingRecords } from '../../src/metadata/forming-records.ts';
import { nodeId } from '../../src/model/ids.ts';
import { DamagedMetadataError } from '../../src/quorum/damaged-metadata-error.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { type SimulatedMachine, simulatedEnv } from '../simulation/env/simulated-env.ts';
import { SimulatedRandom } from '../simulation/env/simulated-random.ts';
import { LoneQuorum } from '../support/lone-quorum.ts';
import { firstSeed } from '../support/property-seed.ts';

const SEEDS = 300;
const LIVES = 10;

/** The record of the cluster, which `form` writes, stands in the history under this name. */
const CLUSTER = 'cluster';
/** The entry that makes a cluster. */
const FORMING: string[] = formingRecords('c', 'd').map(() => CLUSTER);

/** What a run knows of the metadata log: entries as lists of records. */
interface History {
  /** Everything that may be found, in order. */
  possible: string[][];
  /** How many of them have to be found. */
  acknowledged: number;
  epoch: number;
  /** The first thing that went wrong in any life. */
  failure: unknown;
}

const emptyHistory = (): History => ({
  possible: [],
  acknowledged: 0,
  epoch: 0,
  failure: undefined,
});

/** A process that appends until its machine dies. */
async function live(env: Env, random: SimulatedRandom, history: History): Promise<void> {
  const quorum = await LoneQuorum.open(
    {
      dataDirectory: '/data',
      nodeId: nodeId(1),
      snapshotIntervalEntries: 5,
      onFatal: (error) => {
        history.failure ??= error;
      },
    },
    env,
    silentLogger,
  );
  if (!quorum.isFormed) {
    if (history.acknowledged > 0) throw new Error('the cluster is gone');
    history.possible = [FORMING];
    await quorum.form('c', 'd');
  }
  const state = takeState(quorum);
  checkFound(state.records, history);
  if (quorum.epoch <= history.epoch) throw new Error(`epoch ${quorum.epoch} is used again`);
  history.epoch = quorum.epoch;
  quorum.provideSnapshots(() => {
    const { position, records } = state;
    return { position, records: () => records.map((text) => new TextEncoder().encode(text)) };
  });
  for (let serial = 0; ; serial++) {
    const entry = Array.from(
      { length: random.between(1, 3) },
      (_, i) => `${quorum.epoch}.${serial}.${i}`,
    );
    const position = quorum.append(entry.map((text) => new TextEncoder().encode(text)));
    history.possible.push(entry);
    const count = history.possible.length;
    void quorum.committed(position).then(() => {
      history.acknowledged = Math.max(history.acknowledged, count);
      state.position = position;
      state.records.push(...entry);
    });
    if (random.chance(0.5)) await quorum.committed(position);
  }
}

function takeState(quorum: LoneQuorum): { position: number; records: string[] } {
  const entries = quorum.takeEntries();
  const records = entries.flatMap((entry) => entry.records.map((bytes) => textOf(bytes)));
  return { position: entries.at(-1)!.position + 1, records };
}

const textOf = (bytes: Uint8Array): string =>
  // Only records of the cluster begin with a zero: their type is an int16.
  bytes[0] === 0 ? CLUSTER : new TextDecoder().decode(bytes);

/** What was found is from now on committed for good: the process serves it. */
function checkFound(found: readonly string[], history: History): void {
  let count = 0;
  let length = 0;
  while (length < found.length && count < history.possible.length) {
    length += history.possible[count++]!.length;
  }
  const expected = history.possible.slice(0, count).flat();
  if (expected.join() !== found.join()) {
    throw new Error(`found ${found.join()}, which is not the beginning of ${expected.join()}`);
  }
  if (count < history.acknowledged) {
    throw new Error(`${history.acknowledged} entries were acknowledged, ${count} are found`);
  }
  history.possible = history.possible.slice(0, count);
  history.acknowledged = count;
}

/** Lives and crashes on one machine; the error of a life that failed, if one did. */
async function crashRun(seed: number, prepare?: (machine: SimulatedMachine) => void) {
  const machine = simulatedEnv({ seed });
  const random = new SimulatedRandom(seed).fork('test');
  const history = emptyHistory();
  await machine.scheduler.complete(machine.env.files.makeDirectory('/data'));
  await machine.scheduler.complete(machine.env.files.syncDirectory('/'));
  prepare?.(machine);
  const longestMs = random.pick([15, 40, 150]);
  for (let life = 0; life < LIVES && history.failure === undefined; life++) {
    live(machine.env, random, history).catch((error) => {
      history.failure ??= error;
    });
    await machine.scheduler.run(machine.scheduler.nowMs + random.between(1, longestMs));
    machine.crash(random.chance(0.5) ? 'power' : 'process');
    machine.restart();
  }
  return history;
}

test('what was committed is there after any sequence of crashes, and no epoch is used twice', {
  tags: ['slow'],
}, async () => {
  let entries = 0;
  for (let seed = firstSeed; seed < firstSeed + SEEDS; seed++) {
    const { failure, acknowledged } = await crashRun(seed);
    if (failure !== undefined) throw new Error(`seed ${seed}: ${failure}`, { cause: failure });
    entries += acknowledged;
  }
  // The runs are worth something only if they got somewhere.
  expect(entries).toBeGreaterThan(SEEDS * 10);
});

test('without any one of its syncs, some crash loses what was committed or the node', async () => {
  // The sync of the file in `HardStateFile.write` guards against another fault: see below.
  const sites = ['store', 'directory', 'file hard-state.tmp'];
  for (const site of sites) {
    let caught: unknown;
    for (let seed = firstSeed; seed < firstSeed + SEEDS && caught === undefined; seed++) {
      const { failure } = await crashRun(seed, ({ disk }) => {
        disk.onSync = (kind, path) =>
          site === kind || (kind === 'file' && path.endsWith(site.slice(5))) ? 'drop' : undefined;
      });
      caught = failure;
    }
    expect(caught, site).toBeDefined();
  }
});

type Content = readonly (readonly [Uint8Array, Uint8Array])[];
const EVERYTHING = { from: new Uint8Array(0), to: Uint8Array.of(0xff) };

/** An env whose stores tell their content after every batch. */
function watched(env: Env, onBatch: (content: Content) => unknown): Env {
  const watch = (store: KeyValueStore): KeyValueStore => ({
    get: (key) => store.get(key),
    entries: (range) => store.entries(range),
    close: () => store.close(),
    async batch(operations, options) {
      await store.batch(operations, options);
      const content: [Uint8Array, Uint8Array][] = [];
      for await (const [key, value] of store.entries(EVERYTHING)) content.push([key, value]);
      onBatch(content);
    },
  });
  return { ...env, stores: { open: async (path) => watch(await env.stores.open(path)) } };
}

async function putBack(env: Env, content: Content): Promise<void> {
  const store = await env.stores.open('/data/metadata');
  const operations: StoreOperation[] = [];
  for await (const [key] of store.entries(EVERYTHING)) operations.push({ type: 'delete', key });
  for (const [key, value] of content) operations.push({ type: 'put', key, value });
  await store.batch(operations, { sync: true });
  await store.close();
}

/** A store that opens with less than it had, and says nothing, as LevelDB may (DESIGN D9). */
async function forgetfulRun(seed: number, prepare?: (machine: SimulatedMachine) => void) {
  const machine = simulatedEnv({ seed });
  const random = new SimulatedRandom(seed).fork('test');
  const history = emptyHistory();
  const states: Content[] = [[]];
  await machine.scheduler.complete(machine.env.files.makeDirectory('/data'));
  await machine.scheduler.complete(machine.env.files.syncDirectory('/'));
  prepare?.(machine);
  const env = watched(machine.env, (content) => states.push(content));
  live(env, random, history).catch(() => {});
  await machine.scheduler.run(random.between(20, 150));
  machine.crash('power');
  machine.restart();
  await machine.scheduler.complete(putBack(machine.env, random.pick(states)));
  let outcome: unknown = 'opened';
  live(machine.env, random, history).catch((error) => {
    outcome = error;
  });
  await machine.scheduler.run(machine.scheduler.nowMs + 500);
  return outcome;
}

/** A life that went on although something acknowledged is gone ends with the error of `live`. */
const isSilentLoss = (outcome: unknown): boolean =>
  outcome instanceof Error && !(outcome instanceof DamagedMetadataError);

test('a store that has lost something acknowledged is never opened', async () => {
  let refused = 0;
  for (let seed = firstSeed; seed < firstSeed + SEEDS; seed++) {
    const outcome = await forgetfulRun(seed);
    if (isSilentLoss(outcome)) throw new Error(`seed ${seed}: ${outcome}`, { cause: outcome });
    if (outcome instanceof DamagedMetadataError) refused++;
  }
  expect(refused).toBeGreaterThan(SEEDS / 2);
});

test('without the sync of the hard state file such a loss would go unnoticed', async () => {
  let isCaught = false;
  for (let seed = firstSeed; seed < firstSeed + SEEDS && !isCaught; seed++) {
    const outcome = await forgetfulRun(seed, ({ disk }) => {
      disk.onSync = (kind, path) =>
        kind === 'file' && path.endsWith('hard-state') ? 'drop' : undefined;
    });
    isCaught = isSilentLoss(outcome);
  }
  expect(isCaught).toBe(true);
});
