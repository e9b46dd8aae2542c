import { expect, test } from 'vitest';
import { Progress } from '../../../src/raft/progress.ts';
import { DEFAULT_RAFT_CONFIG } from '../../../src/raft/raft-config.ts';
import { memberOf } from '../../simulation/raft/raft-cluster.ts';
import { at, entryAt } from '../../support/driven-raft-node.ts';

const config = { ...DEFAULT_RAFT_CONFIG, inFlightMessagesMax: 2, inFlightBytesMax: 100 };
const progressFrom = (nextIndex: number) => new Progress(memberOf(2), config, nextIndex);
const replicating = () => {
  const progress = progressFrom(1);
  progress.becomeReplicate();
  return progress;
};
const snapshot = {
  last: at(9, 1),
  configuration: { voters: [], learners: [] },
  configurationIndex: 0,
};

test('a probe is one message that waits for its answer', () => {
  const progress = progressFrom(5);
  expect([progress.state, progress.hasRoom]).toEqual(['probe', true]);
  progress.sent([entryAt(5, 1)], 0);
  expect([progress.hasRoom, progress.nextIndex]).toEqual([false, 5]);
});

test('replication goes ahead of the answers, as far as the limits allow', () => {
  const progress = replicating();
  progress.sent([entryAt(1, 1)], 0);
  expect([progress.hasRoom, progress.nextIndex]).toEqual([true, 2]);
  progress.sent([entryAt(2, 1)], 0);
  expect(progress.hasRoom).toBe(false);
  expect(progress.matched(1)).toBe(true);
  expect(progress.hasRoom).toBe(true);
  progress.sent([{ kind: 'command', ...at(3, 1), bytes: new Uint8Array(200) }], 0);
  progress.matched(2);
  expect(progress.hasRoom).toBe(false);
  progress.matched(3);
  expect(progress.hasRoom).toBe(true);
});

test('messages without entries take no room', () => {
  const progress = replicating();
  for (let count = 0; count < 9; count++) progress.sent([], 3);
  expect([progress.hasRoom, progress.sentCommitIndex]).toEqual([true, 3]);
});

test('old news change nothing', () => {
  const progress = replicating();
  progress.matched(5);
  expect(progress.matched(4)).toBe(false);
  expect([progress.matchIndex, progress.nextIndex]).toEqual([5, 6]);
  expect(progress.refused(5, 0)).toBe(false);
  expect(progress.state).toBe('replicate');
});

test('who refuses what was sent ahead is probed from what it surely has', () => {
  const progress = replicating();
  progress.matched(2);
  progress.sent([entryAt(3, 1)], 0);
  expect(progress.refused(3, 2)).toBe(true);
  expect([progress.state, progress.nextIndex, progress.hasRoom]).toEqual(['probe', 3, true]);
});

test('a refused probe goes back to the hint, by one at least, and never behind what is known', () => {
  const progress = progressFrom(9);
  progress.sent([], 0);
  expect(progress.refused(7, 3)).toBe(false);
  expect(progress.refused(8, 3)).toBe(true);
  expect([progress.nextIndex, progress.hasRoom]).toEqual([4, true]);
  expect(progress.refused(3, 99)).toBe(true);
  expect(progress.nextIndex).toBe(3);
  progress.matchIndex = 1;
  expect(progress.refused(2, 0)).toBe(true);
  expect(progress.nextIndex).toBe(2);
});

test('no entries go to who is sent a snapshot', () => {
  const progress = progressFrom(3);
  progress.becomeSnapshot(snapshot);
  expect([progress.state, progress.hasRoom]).toEqual(['snapshot', false]);
  expect(progress.transfer).toEqual({ snapshot, offset: 0, isLoading: true, ticks: 0 });
  expect(progress.refused(2, 0)).toBe(false);
  progress.matched(9);
  progress.becomeReplicate();
  expect([progress.state, progress.nextIndex, progress.transfer]).toEqual(['replicate', 10, null]);
});
