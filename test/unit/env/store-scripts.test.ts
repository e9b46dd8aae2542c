import { expect, test } from 'vitest';
import {
  FileError,
  type KeyValueStore,
  type KeyValueStores,
  StoreLockedError,
  type StoreOperation,
} from '../../../src/env/ports.ts';
import { SimulatedRandom } from '../../simulation/env/simulated-random.ts';
import { type Twin, twins } from './twins.ts';

const names = ['s', 't', 'missing/s', `${'n'.repeat(256)}`];
const STEPS = 60;

/** Runs a random script on a few stores and writes down every outcome. */
function transcript(twin: Twin, seed: number): Promise<string[]> {
  return twin.run(async ({ stores }, folder) => {
    const random = new SimulatedRandom(seed);
    const lines: string[] = [];
    const opened: KeyValueStore[] = [];
    for (let i = 0; i < STEPS; i++) {
      const [line, operation] = drawOperation(random, opened, stores, folder);
      lines.push(`${line}: ${await outcomeOf(operation)}`);
    }
    for (const store of opened) await store.close();
    return lines;
  });
}

async function outcomeOf(operation: () => Promise<unknown>): Promise<string> {
  try {
    return JSON.stringify(await operation()) ?? 'done';
  } catch (error) {
    if (error instanceof StoreLockedError) return 'locked';
    if (error instanceof FileError) return error.code;
    throw error;
  }
}

function drawOperation(
  random: SimulatedRandom,
  opened: KeyValueStore[],
  stores: KeyValueStores,
  folder: string,
): [string, () => Promise<unknown>] {
  const at = random.below(Math.max(1, opened.length));
  const store = opened[at];
  if (store === undefined || random.chance(0.15)) {
    const name = random.pick(names);
    return [
      `open ${name.slice(0, 9)}`,
      async () => void opened.push(await stores.open(`${folder}/${name}`)),
    ];
  }
  const [key, other] = [drawKey(random), drawKey(random)];
  const operations = Array.from({ length: random.below(5) }, () => drawChange(random));
  const range = { from: key, to: other, reverse: random.chance(0.3), limit: random.below(6) };
  const sync = random.chance(0.3);
  return random.pick<[string, () => Promise<unknown>]>([
    [`${at} batch`, () => store.batch(operations, { sync })],
    [`${at} batch`, () => store.batch(operations, { sync })],
    [`${at} get`, async () => [...((await store.get(key)) ?? [])]],
    [`${at} entries`, () => entriesOf(store, range)],
    [`${at} all`, () => entriesOf(store, { from: new Uint8Array(0), to: Uint8Array.of(255) })],
    ...(random.chance(0.3)
      ? [[`${at} close`, () => store.close()] as [string, () => Promise<unknown>]]
      : []),
  ]);
}

const drawKey = (random: SimulatedRandom): Uint8Array =>
  Uint8Array.from({ length: random.between(1, 2) }, () => random.pick([0, 1, 127, 128, 254]));

function drawChange(random: SimulatedRandom): StoreOperation {
  const key = drawKey(random);
  if (random.chance(0.3)) return { type: 'delete', key };
  return { type: 'put', key, value: random.bytes(random.below(20)) };
}

async function entriesOf(
  store: KeyValueStore,
  range: Parameters<KeyValueStore['entries']>[0],
): Promise<string[]> {
  const found: string[] = [];
  for await (const [key, value] of store.entries(range)) found.push(`${key}=${value}`);
  return found;
}

test('the same script on stores has the same outcomes on all twins', async () => {
  const [node, ...others] = twins;
  for (let seed = 0; seed < 40; seed++) {
    const expected = await transcript(node!, seed);
    for (const twin of others) {
      expect(await transcript(twin, seed), `${twin.name}, seed ${seed}`).toEqual(expected);
    }
  }
});
