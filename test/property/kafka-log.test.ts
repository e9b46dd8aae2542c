import { expect, test } from 'vitest';
import { SimulatedRandom } from '../simulation/env/simulated-random.ts';
import { firstSeed } from '../support/property-seed.ts';
import { KafkaLogRun } from './kafka-log-run.ts';

const SEEDS = 40;
/** What so many seeds must have done, else they prove nothing. */
const deeds = ['stored', 'refused', 'empty', 'large', 'read'];

test('what Kafka producers are told is stored, Kafka readers find, within their limits', async () => {
  const did = new Map<string, number>();
  for (let seed = firstSeed; seed < firstSeed + SEEDS; seed++) {
    const run = await KafkaLogRun.open(new SimulatedRandom(seed));
    try {
      await run.go();
    } catch (error) {
      throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error });
    }
    for (const [what, count] of run.did) did.set(what, (did.get(what) ?? 0) + count);
  }
  for (const deed of deeds) expect(did.get(deed) ?? 0, deed).toBeGreaterThan(SEEDS);
});
