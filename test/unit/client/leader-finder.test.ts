import { expect, test } from 'vitest';
import type { ClusterMetadata, PartitionLeader } from '../../../src/client/cluster-metadata.ts';
import { VarveError } from '../../../src/client/errors.ts';
import { LeaderFinder } from '../../../src/client/leader-finder.ts';
import { SimulatedRandom } from '../../simulation/env/simulated-random.ts';

/** Metadata that says what it is told to. */
function setUp() {
  const state = {
    partitions: undefined as readonly PartitionLeader[] | undefined,
    error: undefined as VarveError | undefined,
    refreshes: 0,
  };
  const metadata = {
    topic: () => (state.partitions === undefined ? undefined : { partitions: state.partitions }),
    errorOf: () => state.error,
    refresh: async () => {
      state.refreshes++;
    },
  } as unknown as ClusterMetadata;
  return { state, finder: new LeaderFinder({ random: new SimulatedRandom(1) }, metadata) };
}

const unknown = new VarveError('UNKNOWN_TOPIC_OR_PARTITION', 'no such topic', { retriable: true });

test('a leader that is known is answered, and nobody is asked', () => {
  const { state, finder } = setUp();
  state.partitions = [{ leaderId: 3, leaderEpoch: 1 }];
  expect(finder.find('orders', 0, 0)).toEqual({ leaderId: 3, leaderEpoch: 1 });
  expect(state.refreshes).toBe(0);
});

test('a missing leader is asked for with growing pauses', () => {
  const { state, finder } = setUp();
  state.partitions = [{ leaderId: -1, leaderEpoch: 1 }];
  const times: number[] = [];
  for (let nowMs = 0; nowMs < 5000; nowMs += 10) {
    const before = state.refreshes;
    const found = finder.find('orders', 0, nowMs);
    expect(found).toMatchObject({ isFinal: false });
    if (state.refreshes > before) times.push(nowMs);
  }
  expect(times.length).toBeGreaterThan(5);
  expect(times.length).toBeLessThan(20);
  expect(times[1]! - times[0]!).toBeLessThan(100);
});

test('a topic that does not exist is hopeless after some seconds', () => {
  const { state, finder } = setUp();
  state.error = unknown;
  expect(finder.find('orders', 0, 0)).toMatchObject({ isFinal: false, error: unknown });
  expect(finder.find('orders', 0, 2000)).toMatchObject({ isFinal: false });
  expect(finder.find('orders', 0, 3000)).toMatchObject({ isFinal: true, error: unknown });
});

test('an old search does not make a new one hopeless at once', () => {
  const { state, finder } = setUp();
  state.error = unknown;
  finder.find('orders', 0, 0);
  expect(finder.find('orders', 0, 100_000)).toMatchObject({ isFinal: false });
});

test('an error that does not pass is hopeless at once', () => {
  const { state, finder } = setUp();
  state.error = new VarveError('TOPIC_AUTHORIZATION_FAILED', 'no');
  expect(finder.find('orders', 0, 0)).toMatchObject({ isFinal: true });
});
