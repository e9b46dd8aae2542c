import { expect, test } from 'vitest';
import { FileError } from '../../src/env/ports.ts';
import { NewerFormatError } from '../../src/metadata/metadata-record-codec.ts';
import { DamagedMetadataError } from '../../src/quorum/damaged-metadata-error.ts';
import { ViolationError } from '../simulation/crash-states/expected-logs.ts';
import { MetadataSession } from '../simulation/crash-states/metadata-session.ts';
import { rotFile, rotStore } from '../simulation/env/bit-rot.ts';
import { type SimulatedMachine, simulatedEnv } from '../simulation/env/simulated-env.ts';
import { SimulatedRandom } from '../simulation/env/simulated-random.ts';

const SEEDS = 400;
/** Of a hard state with a vote for the directory `d`. */
const SLOT_BYTES = 12 + 36 + 7;

/** What becomes of the metadata when its disk rots while no process runs. */
async function outcomeOf(
  seed: number,
  rot: (machine: SimulatedMachine, random: SimulatedRandom) => void,
): Promise<string> {
  const random = new SimulatedRandom(seed).fork('rot');
  const machine = simulatedEnv({ seed });
  const { scheduler } = machine;
  const session = new MetadataSession(machine, random.pick([2, 5, 1000]));
  const live = async (): Promise<void> => {
    await session.begin();
    for (let left = random.between(1, 12); left > 0; left--) await session.append(1);
    if (random.chance(0.5)) await session.close();
  };
  await scheduler.complete(live());
  machine.crash(random.pick(['process', 'power']));
  rot(machine, random);
  machine.restart();
  try {
    await scheduler.complete(session.reopen(machine, session.expected()));
    return 'nothing is lost';
  } catch (error) {
    // Lost, and nobody said so.
    if (error instanceof ViolationError) throw new Error(`seed ${seed}`, { cause: error });
    if (error instanceof DamagedMetadataError) return 'damaged';
    if (error instanceof NewerFormatError) return 'newer format';
    if (error instanceof FileError) return error.code;
    throw error;
  }
}

test('a store that rots as LevelDB does loses nothing in silence', async () => {
  const seen = new Map<string, number>();
  for (let seed = 0; seed < SEEDS; seed++) {
    const outcome = await outcomeOf(seed, ({ disk }, random) =>
      rotStore(disk.state, '/data/metadata', random),
    );
    seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
  }
  expect([...seen.keys()].sort()).toEqual(
    ['LEVEL_CORRUPTION', 'damaged', 'newer format', 'nothing is lost'].sort(),
  );
  expect(seen.get('damaged')).toBeGreaterThan(SEEDS / 4);
});

test('a flipped bit anywhere in the file of the hard state loses nothing in silence', async () => {
  const seen = new Set<string>();
  for (let seed = 0; seed < SEEDS; seed++) {
    const outcome = await outcomeOf(seed, ({ disk }, random) => {
      const position = random.pick([0, 4096]) + random.below(SLOT_BYTES);
      rotFile(disk.state, '/data/hard-state', { type: 'flip', position, bit: random.below(8) });
    });
    seen.add(outcome);
  }
  expect([...seen]).toContain('nothing is lost');
  for (const outcome of seen) expect(['nothing is lost', 'damaged']).toContain(outcome);
});
