import { expect, test } from 'vitest';
import { SimulatedRandom } from '../simulation/env/simulated-random.ts';
import { firstSeed } from '../support/property-seed.ts';
import { KafkaConnectionRun } from './kafka-connection-run.ts';

const SEEDS = 150;
/** What so many seeds must have done, else they prove nothing. */
const deeds = [
  ...['send', 'answer', 'nothing', 'close', 'fill', 'hold', 'sound'],
  ...['too large', 'negative size', 'no version', 'no API', 'cut short', 'no text'],
];

test('a connection answers in order, whatever happens to it, and gives all back in the end', async () => {
  const did = new Map<string, number>();
  for (let seed = firstSeed; seed < firstSeed + SEEDS; seed++) {
    const run = await KafkaConnectionRun.open(new SimulatedRandom(seed));
    try {
      await run.go();
    } catch (error) {
      throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error });
    }
    for (const [what, count] of run.did) did.set(what, (did.get(what) ?? 0) + count);
  }
  for (const deed of deeds) expect(did.get(deed) ?? 0, deed).toBeGreaterThan(1);
});
