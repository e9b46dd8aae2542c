import { expect, test } from 'vitest';
import { memberOf } from '../../simulation/raft/raft-cluster.ts';
import { at, type DrivenOptions, DrivenRaftNode, e } from '../../support/driven-raft-node.ts';

function leading(options: DrivenOptions = {}): DrivenRaftNode {
  const one = new DrivenRaftNode(options);
  one.lead();
  one.matched(3, one.node.status.last.index);
  one.take();
  return one;
}

function propose(one: DrivenRaftNode, count: number): void {
  one.ask(one.node.propose(Array.from({ length: count }, () => new Uint8Array(10))));
}

/** A leader that has dropped entries 1 to 4, with a follower 3 that may need them. */
function compacted(): DrivenRaftNode {
  const one = leading({ config: { entriesKept: 0, messageBytesMax: 50 } });
  propose(one, 3);
  one.matched(2, 4);
  one.node.applied(4);
  one.run(one.node.compact(one.node.describeSnapshot(4)!));
  propose(one, 1);
  one.receive(3, { kind: 'append-refusal', epoch: e(1), prevIndex: 4, hint: at(0, 0) });
  one.receive(3, { kind: 'append-refusal', epoch: e(1), prevIndex: 1, hint: at(0, 0) });
  return one;
}

const load = (offset: number, bytes: Uint8Array | null, isLast = false) => ({
  to: memberOf(3),
  snapshotIndex: 4,
  offset,
  bytes,
  isLast,
});

test('the commit index goes to who has the entries, at once and once', () => {
  const one = leading();
  propose(one, 1);
  one.take();
  one.matched(2, 2);
  expect(one.sent('append')).toMatchObject([
    { to: 2, message: { prev: at(2, 1), entries: [], commitIndex: 2 } },
    { to: 3, message: { prev: at(2, 1), entries: [], commitIndex: 2 } },
  ]);
  one.take();
  one.matched(2, 2);
  expect(one.sent('append')).toEqual([]);
});

test('an answer to a heartbeat finds out what was lost', () => {
  const one = leading({ config: { inFlightMessagesMax: 1 } });
  propose(one, 1);
  one.take();
  one.receive(3, { kind: 'heartbeat-answer', epoch: e(1), round: 0 });
  expect(one.sent('append')).toMatchObject([{ to: 3, message: { prev: at(2, 1), entries: [] } }]);
  one.take();
  one.receive(3, { kind: 'append-refusal', epoch: e(1), prevIndex: 2, hint: at(1, 1) });
  expect(one.sent('append')).toMatchObject([
    { to: 3, message: { prev: at(1, 1), entries: [at(2, 1)] } },
  ]);
});

test('a broken stream makes it probe, one that is back goes on at once', () => {
  const one = leading();
  one.run(one.node.unreachable(memberOf(3)));
  expect(one.node.status.followers[1]).toMatchObject({ state: 'probe', nextIndex: 2 });
  propose(one, 1);
  propose(one, 1);
  expect(one.sent('append').filter(({ to }) => to === 3)).toHaveLength(1);
  one.take();
  one.run(one.node.reachable(memberOf(3)));
  expect(one.sent('append')).toMatchObject([{ to: 3, message: { entries: [at(2, 1), at(3, 1)] } }]);
  expect(one.node.unreachable(memberOf(9))).toEqual([]);
  expect(one.node.reachable(memberOf(9))).toEqual([]);
});

test('who needs what is gone is sent the snapshot, one piece at a time', () => {
  const one = compacted();
  expect(one.node.status.followers[1]).toMatchObject({ state: 'snapshot' });
  expect(one.of('load-chunk')).toMatchObject([{ to: memberOf(3), offset: 0, bytesMax: 50 }]);
  one.take();
  one.run(one.node.chunkLoaded(load(0, new Uint8Array(50))));
  expect(one.sent('snapshot-chunk')).toMatchObject([
    { to: 3, message: { offset: 0, isLast: false } },
  ]);
  one.receive(3, { kind: 'snapshot-answer', epoch: e(1), snapshotIndex: 4, nextOffset: 50 });
  expect(one.of('load-chunk')).toMatchObject([{ offset: 50 }]);
  one.run(one.node.chunkLoaded(load(50, new Uint8Array(3), true)));
  one.take();
  one.matched(3, 4);
  expect(one.node.status.followers[1]).toMatchObject({ state: 'replicate', matchIndex: 4 });
  expect(one.sent('append')[0]).toMatchObject({ to: 3, message: { entries: [at(5, 1)] } });
});

test('a piece that nobody answers is read again after an election timeout', () => {
  const one = compacted();
  one.run(one.node.chunkLoaded(load(0, new Uint8Array(50))));
  one.take();
  for (let tick = 0; tick < 10; tick++) {
    one.receive(2, { kind: 'heartbeat-answer', epoch: e(1), round: 0 });
    one.tick();
  }
  expect(one.of('load-chunk')).toMatchObject([{ offset: 0 }]);
});

test('a follower that has more of it, or has lost it, says which piece is next', () => {
  const one = compacted();
  for (const nextOffset of [500, 0]) {
    one.run(one.node.chunkLoaded(load(nextOffset === 500 ? 0 : 500, new Uint8Array(50))));
    one.take();
    one.receive(3, { kind: 'snapshot-answer', epoch: e(1), snapshotIndex: 4, nextOffset });
    expect(one.of('load-chunk')).toMatchObject([{ offset: nextOffset }]);
  }
});

test('a snapshot that is not there any more is begun anew when the follower is heard of', () => {
  const one = compacted();
  one.take();
  one.run(one.node.chunkLoaded(load(0, null)));
  expect(one.of('load-chunk')).toEqual([]);
  one.receive(3, { kind: 'heartbeat-answer', epoch: e(1), round: 0 });
  one.receive(3, { kind: 'append-refusal', epoch: e(1), prevIndex: 1, hint: at(0, 0) });
  expect(one.node.status.followers[1]).toMatchObject({ state: 'snapshot' });
  expect(one.of('load-chunk')).toMatchObject([{ offset: 0 }]);
});

test('pieces that nobody waits for, and answers about other snapshots, are passed over', () => {
  const one = compacted();
  one.take();
  expect(one.node.chunkLoaded({ ...load(0, new Uint8Array(1)), to: memberOf(9) })).toEqual([]);
  expect(one.node.chunkLoaded(load(7, new Uint8Array(1)))).toEqual([]);
  expect(one.node.chunkLoaded({ ...load(0, new Uint8Array(1)), snapshotIndex: 3 })).toEqual([]);
  one.receive(3, { kind: 'snapshot-answer', epoch: e(1), snapshotIndex: 3, nextOffset: 50 });
  expect(one.of('ignored')).toMatchObject([{ reason: 'unexpected' }]);
});
