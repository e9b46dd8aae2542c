import { expect, test } from 'vitest';
import { DEFAULT_TIMING, raftTiming } from '../../../src/quorum/quorum-config.ts';
import { validateRaftConfig } from '../../../src/raft/raft-config.ts';

test('times become ticks: two to a heartbeat', () => {
  const { tickMs, raft } = raftTiming(DEFAULT_TIMING);
  expect(tickMs).toBe(50);
  expect(raft).toMatchObject({ heartbeatTicks: 2, electionTicks: 10 });
});

test('no setting makes ticks that a node would not take', () => {
  for (const electionTimeoutMs of [10, 11, 999, 2 ** 31 - 1]) {
    for (const heartbeatIntervalMs of [1, 7, 5000, 2 ** 30]) {
      const { tickMs, raft } = raftTiming({ electionTimeoutMs, heartbeatIntervalMs });
      expect(tickMs).toBeGreaterThan(0);
      expect(() => validateRaftConfig(raft)).not.toThrow();
      expect(raft.electionTicks * tickMs).toBeGreaterThanOrEqual(electionTimeoutMs);
    }
  }
});
