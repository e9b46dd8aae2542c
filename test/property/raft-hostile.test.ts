import { expect, test } from 'vitest';
import { DEFAULT_RAFT_CONFIG } from '../../src/raft/raft-config.ts';
import { SimulatedRandom } from '../simulation/env/simulated-random.ts';
import { type Envelope, memberOf, RaftCluster } from '../simulation/raft/raft-cluster.ts';
import { firstSeed } from '../support/property-seed.ts';

const SEEDS = 200;
const STEPS = 1_000;

const strange = [
  -1,
  0,
  1,
  2,
  7,
  0.5,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 53,
  Number.NaN,
  Number.POSITIVE_INFINITY,
];

/** The same with some numbers and flags changed, wherever they stand; often by one. */
function mutated<T>(value: T, random: SimulatedRandom, rate: number): T {
  if (typeof value === 'number' && random.chance(rate)) {
    return (random.chance(0.6) ? value + random.between(-2, 2) : random.pick(strange)) as T;
  }
  if (typeof value === 'boolean' && random.chance(rate)) return !value as T;
  if (value === null || typeof value !== 'object' || value instanceof Uint8Array) return value;
  if (Array.isArray(value)) {
    const kept = value.filter(() => !random.chance(rate));
    return kept.map((one) => mutated(one, random, rate)) as T;
  }
  const entries = Object.entries(value).map(([name, one]) => [name, mutated(one, random, rate)]);
  return Object.fromEntries(entries) as T;
}

/** Three nodes with a busy network, in which some of the messages are not what was sent. */
function runHostile(seed: number): { readonly thrown: string[]; readonly ignored: number } {
  const random = new SimulatedRandom(seed);
  const config = { ...DEFAULT_RAFT_CONFIG, messageBytesMax: 200, entriesKept: 1 };
  const cluster = new RaftCluster(
    config,
    () => () => random.below(100) / 100,
    () => {},
  );
  const voters = [1, 2, 3].map((id) => memberOf(id));
  for (const member of voters) cluster.start(cluster.add(member, { voters, learners: [] }));
  const old: Envelope[] = [];
  for (let step = 0; step < STEPS; step++) {
    const machine = random.pick(cluster.up);
    const choice = random.below(20);
    if (choice < 5) cluster.call(machine, (node) => node.tick());
    else if (choice < 9) {
      if (machine.disk.pending.length > 0) cluster.sync(machine, 1);
    } else if (choice === 9)
      cluster.ask(machine, (node) => node.propose([Buffer.from('x'), Buffer.from('y')]));
    else if (choice === 10) cluster.call(machine, () => machine.compact());
    else if (choice === 11 && old.length > 0) {
      const { message } = random.pick(old);
      const [from, to] = [random.pick(voters), random.pick(voters)];
      cluster.deliver({
        from,
        to,
        message: mutated(message, random, random.pick([0.03, 0.1, 0.3])),
      });
    } else if (choice === 12) for (const load of cluster.loads.splice(0)) cluster.load(load, true);
    else {
      const [envelope] = cluster.network.splice(0, 1);
      if (envelope === undefined) continue;
      old.push(envelope);
      if (random.chance(0.3)) {
        const message = mutated(envelope.message, random, random.pick([0.05, 0.2]));
        cluster.deliver({ ...envelope, message });
      }
      cluster.deliver(envelope);
    }
  }
  const ignored = cluster.counts.get('ignored impossible') ?? 0;
  // Lies about votes and logs break what holds among nodes; they must not break the node that hears them.
  const faults = cluster.violations.filter(({ checker }) => checker === 'noInvariantBreaks');
  return { thrown: faults.map(({ problem }) => problem), ignored };
}

test(`messages that lie break no node, under ${SEEDS} seeds`, () => {
  let ignored = 0;
  for (let seed = firstSeed; seed < firstSeed + SEEDS; seed++) {
    const result = runHostile(seed);
    expect(result.thrown, `seed ${seed}`).toEqual([]);
    ignored += result.ignored;
  }
  expect(ignored).toBeGreaterThan(SEEDS);
});
