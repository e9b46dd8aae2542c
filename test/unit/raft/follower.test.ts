import { expect, test } from 'vitest';
import type { SnapshotMeta } from '../../../src/raft/entry.ts';
import { memberOf } from '../../simulation/raft/raft-cluster.ts';
import { at, DrivenRaftNode, e, votersOf } from '../../support/driven-raft-node.ts';

const snapshotAt = (index: number, epoch: number): SnapshotMeta => ({
  last: at(index, epoch),
  configuration: { voters: votersOf(3), learners: [memberOf(4)] },
  configurationIndex: 1,
});

function chunk(
  one: DrivenRaftNode,
  snapshot: SnapshotMeta,
  offset: number,
  size = 10,
  isLast = false,
) {
  const bytes = new Uint8Array(size);
  one.receive(2, { kind: 'snapshot-chunk', epoch: e(3), snapshot, offset, bytes, isLast });
}

test('entries that follow what it has are written, then acknowledged', () => {
  const one = new DrivenRaftNode({ epoch: 1, log: [1] });
  one.isSlow = true;
  one.append(2, 1, [1, 1], 1, 1);
  expect(one.of('persist')).toMatchObject([{ truncateFrom: null, entries: [{}, {}] }]);
  expect(one.sent('append-answer')).toEqual([]);
  one.persist();
  expect(one.sent('append-answer')).toMatchObject([{ to: 2, message: { matchIndex: 3 } }]);
});

test('entries that do not follow are refused, with the place where the logs may agree (paper 5.3)', () => {
  const one = new DrivenRaftNode({ epoch: 5, log: [1, 1, 4, 4] });
  one.append(2, 5, [9, 5]);
  one.append(2, 5, [4, 3]);
  expect(one.sent('append-refusal').map(({ message }) => message)).toMatchObject([
    { prevIndex: 9, hint: at(4, 4) },
    { prevIndex: 4, hint: at(2, 1) },
  ]);
});

test('what conflicts is cut off with all behind it, what agrees is not touched (paper 5.3)', () => {
  const one = new DrivenRaftNode({ epoch: 2, log: [1, 1, 1] });
  one.append(2, 2, [0, 0], 1, 1);
  expect(one.node.status.last.index).toBe(3);
  expect(one.sent('append-answer')).toMatchObject([{ message: { matchIndex: 2 } }]);
  one.append(2, 2, [1, 1], 2);
  expect(one.of('persist').at(-1)).toMatchObject({ truncateFrom: 2, entries: [at(2, 2)] });
  expect(one.node.status.last).toMatchObject(at(2, 2));
});

test('an answer to an overwritten entry does not leave in another epoch', () => {
  const one = new DrivenRaftNode({ epoch: 1, log: [1] });
  one.isSlow = true;
  one.append(2, 1, [1, 1], 1);
  one.append(3, 2, [1, 1], 2);
  one.persist();
  expect(one.sent('append-answer')).toEqual([]);
  one.persist();
  expect(one.sent('append-answer')).toMatchObject([
    { to: 3, message: { epoch: 2, matchIndex: 2 } },
  ]);
});

test('what the leader has committed is applied as far as it is the same, and durable', () => {
  const one = new DrivenRaftNode({ epoch: 2, log: [1, 1, 1] });
  const heartbeat = (commitIndex: number) =>
    one.receive(2, { kind: 'heartbeat', epoch: e(2), commitIndex, round: 0 });
  heartbeat(1);
  expect(one.of('apply')).toMatchObject([{ entries: [at(1, 1)] }]);
  one.take();
  one.isSlow = true;
  const entries = [{ kind: 'empty' as const, ...at(2, 2) }];
  one.receive(2, { kind: 'append', epoch: e(2), prev: at(1, 1), entries, commitIndex: 9 });
  expect(one.node.status.commitIndex).toBe(2);
  expect(one.of('apply')).toEqual([]);
  one.persist();
  expect(one.of('apply')).toMatchObject([{ entries: [at(2, 2)] }]);
});

test('an append from before what is committed is answered with that', () => {
  const one = new DrivenRaftNode({ epoch: 1, log: [1, 1, 1] });
  one.receive(2, { kind: 'heartbeat', epoch: e(1), commitIndex: 2, round: 0 });
  one.append(2, 1, [0, 0], 1);
  expect(one.sent('append-answer')).toMatchObject([{ message: { matchIndex: 2 } }]);
});

test('a heartbeat beyond the log is impossible', () => {
  const one = new DrivenRaftNode({ epoch: 1, log: [1] });
  one.receive(2, { kind: 'heartbeat', epoch: e(1), commitIndex: 2, round: 0 });
  expect(one.of('ignored')).toMatchObject([{ reason: 'impossible' }]);
  expect(one.node.status.commitIndex).toBe(0);
});

test('a snapshot comes in pieces, takes the place of the log and is loaded when it is durable (paper 7)', () => {
  const one = new DrivenRaftNode({ epoch: 3, log: [1, 1] });
  const snapshot = snapshotAt(9, 2);
  chunk(one, snapshot, 0);
  // Sent twice, and one too far.
  chunk(one, snapshot, 0);
  chunk(one, snapshot, 20);
  const next = one.sent('snapshot-answer').map(({ message }) => message.nextOffset);
  expect(next).toEqual([10, 10, 10]);
  expect(one.of('persist').map((batch) => batch.chunk?.offset)).toEqual([0]);
  one.isSlow = true;
  chunk(one, snapshot, 10, 5, true);
  expect(one.node.status).toMatchObject({ last: at(9, 2), commitIndex: 9, handedIndex: 0 });
  expect(one.node.status.configuration).toEqual(snapshot.configuration);
  expect(one.node.describeSnapshot(0)).toBeNull();
  expect(one.of('restore')).toEqual([]);
  one.persist();
  expect(one.of('restore')).toEqual([{ kind: 'restore', snapshot }]);
  expect(one.sent('append-answer')).toMatchObject([{ message: { matchIndex: 9 } }]);
});

test('a newer snapshot begins anew, an older one is passed over', () => {
  const one = new DrivenRaftNode({ epoch: 3 });
  chunk(one, snapshotAt(5, 2), 0);
  chunk(one, snapshotAt(9, 2), 10);
  expect(one.sent('snapshot-answer').at(-1)?.message).toMatchObject({
    snapshotIndex: 9,
    nextOffset: 0,
  });
  chunk(one, snapshotAt(5, 2), 10);
  expect(one.of('ignored')).toMatchObject([{ reason: 'unexpected' }]);
});

test('a snapshot of what it has is not loaded, and the log behind it stays (paper 7)', () => {
  const one = new DrivenRaftNode({ epoch: 3, log: [1, 1, 2] });
  chunk(one, snapshotAt(2, 1), 0, 10, true);
  expect(one.of('restore')).toEqual([]);
  expect(one.node.status).toMatchObject({ commitIndex: 2, last: at(3, 2) });
  expect(one.sent('append-answer')).toMatchObject([{ message: { matchIndex: 2 } }]);
});

test('a learner never campaigns, and forgets a leader that is silent', () => {
  const one = new DrivenRaftNode({ voters: 1 });
  expect(one.node.status.role).toBe('leader');
  const config = { voters: [memberOf(2)], learners: [memberOf(1)] };
  one.receive(2, {
    kind: 'snapshot-chunk',
    epoch: e(9),
    snapshot: { ...snapshotAt(9, 2), configuration: config },
    offset: 0,
    bytes: new Uint8Array(0),
    isLast: true,
  });
  expect(one.node.status).toMatchObject({ role: 'follower', leader: memberOf(2) });
  one.tick(30);
  expect(one.node.status).toMatchObject({ role: 'follower', leader: null });
});

test('told by its leader, and by nobody else, it campaigns at once (thesis 3.10)', () => {
  const one = new DrivenRaftNode({ epoch: 1 });
  one.receive(2, { kind: 'heartbeat', epoch: e(1), commitIndex: 0, round: 0 });
  one.receive(3, { kind: 'timeout-now', epoch: e(1) });
  expect(one.node.status.role).toBe('follower');
  one.receive(2, { kind: 'timeout-now', epoch: e(1) });
  expect(one.node.status).toMatchObject({ role: 'candidate', epoch: 2 });
  expect(one.sent('vote')).toMatchObject([
    { message: { isTransfer: true, isPreVote: false } },
    { message: { isTransfer: true, isPreVote: false } },
  ]);
});
