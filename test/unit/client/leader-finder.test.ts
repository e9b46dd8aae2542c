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
    /** When what is known was asked for. */
    askedMs: 0,
    refreshes: 0,
  };
  const metadata = {
    topic: (name: string) =>
      state.partitions === undefined
        ? undefined
        : { name, partitions: state.partitions, askedMs: state.askedMs },
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

const three = [0, 1, 2].map(() => ({ leaderId: 1, leaderEpoch: 0 }));

test('a partition that its topic does not have is hopeless after some seconds, by name', () => {
  const { state, finder } = setUp();
  state.partitions = three;
  expect(finder.find('orders', 3, 10)).toMatchObject({ isFinal: false, error: undefined });
  expect(state.refreshes).toBe(1);
  state.askedMs = 10;
  expect(finder.find('orders', 3, 2000)).toMatchObject({ isFinal: false });
  expect(finder.find('orders', 3, 3010)).toMatchObject({
    isFinal: true,
    error: {
      code: 'UNKNOWN_TOPIC_OR_PARTITION',
      message: expect.stringContaining(
        'orders-3 does not exist: topic orders has partitions 0 to 2, 3 in all',
      ),
    },
  });
});

test('as long as nobody has answered anew, a missing partition is not given up', () => {
  const { state, finder } = setUp();
  state.partitions = three;
  state.askedMs = 9;
  for (let nowMs = 10; nowMs < 20_000; nowMs += 100) {
    expect(finder.find('orders', 3, nowMs)).toMatchObject({ isFinal: false, error: undefined });
  }
  state.error = new VarveError('NETWORK_EXCEPTION', 'gone', { retriable: true });
  expect(finder.find('orders', 3, 20_000)).toMatchObject({ isFinal: false, error: state.error });
});

test('each missing partition has its own seconds, also beside a leader that is long missing', () => {
  const { state, finder } = setUp();
  state.partitions = [{ leaderId: -1, leaderEpoch: 0 }];
  for (let nowMs = 0; nowMs < 10_000; nowMs += 100) finder.find('orders', 0, nowMs);
  state.askedMs = 10_000;
  finder.find('orders', 3, 10_000);
  finder.find('orders', 4, 12_000);
  state.askedMs = 12_000;
  expect(finder.find('orders', 4, 13_000)).toMatchObject({ isFinal: false });
  expect(finder.find('orders', 3, 13_000)).toMatchObject({ isFinal: true });
  expect(finder.find('orders', 0, 13_000)).toMatchObject({ isFinal: false, error: undefined });
});

test('a partition that comes within its seconds is found', () => {
  const { state, finder } = setUp();
  state.partitions = three.slice(1);
  finder.find('orders', 2, 0);
  state.partitions = three;
  expect(finder.find('orders', 2, 1000)).toEqual(three[2]);
  state.partitions = three.slice(1);
  state.askedMs = 4000;
  expect(finder.find('orders', 2, 4000)).toMatchObject({ isFinal: false });
});
