import { expect, test } from 'vitest';
import { DEFAULT_RAFT_CONFIG } from '../../../src/raft/raft-config.ts';
import { RaftNode } from '../../../src/raft/raft-node.ts';
import { memberOf } from '../../simulation/raft/raft-cluster.ts';
import { at, DrivenRaftNode, e } from '../../support/driven-raft-node.ts';

const request = (epoch: number, last = at(0, 0), isPreVote = false, isTransfer = false) => ({
  kind: 'vote' as const,
  ...{ epoch: e(epoch), isPreVote, isTransfer, last },
});
const heartbeat = (epoch: number) => ({
  kind: 'heartbeat' as const,
  ...{ epoch: e(epoch), commitIndex: 0, round: 0 },
});
const votes = (one: DrivenRaftNode) =>
  one.sent('vote-answer').map(({ to, message }) => `${to} ${message.isGranted}`);

test('a node starts as a follower (paper 5.2), the only voter as a leader', () => {
  expect(new DrivenRaftNode().node.status.role).toBe('follower');
  const alone = new DrivenRaftNode({ voters: 1 });
  expect(alone.node.status).toMatchObject({ role: 'leader', epoch: 1, commitIndex: 1 });
});

test('the only voter applies nothing that is not durable', () => {
  const alone = new DrivenRaftNode({ voters: 1 });
  alone.isSlow = true;
  alone.ask(alone.node.propose([new Uint8Array(1)]));
  expect(alone.node.status).toMatchObject({ commitIndex: 1, last: at(2, 1) });
  alone.persist();
  expect(alone.node.status).toMatchObject({ commitIndex: 2, handedIndex: 2 });
});

test('a node votes for one candidate an epoch, first come, first served (paper 5.2)', () => {
  const one = new DrivenRaftNode();
  one.receive(2, request(1));
  one.receive(3, request(1));
  one.receive(2, request(1));
  one.receive(3, request(2));
  expect(votes(one)).toEqual(['2 true', '3 false', '2 true', '3 true']);
});

test('a vote of before a restart is kept', () => {
  const one = new DrivenRaftNode({ epoch: 4, votedFor: 2 });
  one.receive(3, request(4));
  one.receive(2, request(4));
  expect(votes(one)).toEqual(['3 false', '2 true']);
});

test('a vote leaves when it is durable, also when it is asked for twice', () => {
  const one = new DrivenRaftNode();
  one.isSlow = true;
  one.receive(2, request(1));
  one.receive(2, request(1));
  expect(votes(one)).toEqual([]);
  one.persist();
  expect(votes(one)).toEqual(['2 true', '2 true']);
});

test('a candidate with an older log is refused (paper 5.4.1)', () => {
  const one = new DrivenRaftNode({ epoch: 2, log: [1, 2] });
  one.receive(2, request(3, at(9, 1)));
  one.receive(2, request(4, at(1, 2)));
  one.receive(2, request(5, at(2, 2)));
  expect(votes(one)).toEqual(['2 false', '2 false', '2 true']);
});

test('a candidate of an older epoch is refused and told of the newer one (paper 5.1)', () => {
  const one = new DrivenRaftNode({ epoch: 5 });
  one.receive(2, request(4));
  expect(one.sent('vote-answer')).toMatchObject([{ message: { epoch: 5, isGranted: false } }]);
});

test('while a leader is heard of nobody else is voted for, but by its own wish (thesis 4.2.3)', () => {
  const one = new DrivenRaftNode({ epoch: 1 });
  one.receive(2, heartbeat(1));
  one.receive(3, request(2));
  one.receive(3, request(2, at(0, 0), true));
  expect(one.of('ignored')).toMatchObject([{ reason: 'leader-alive' }]);
  expect(votes(one)).toEqual(['3 false']);
  expect(one.node.status.epoch).toBe(1);
  one.receive(3, request(2, at(0, 0), false, true));
  expect(votes(one).at(-1)).toBe('3 true');
});

test('a leader does not vote for who was cut off', () => {
  const one = new DrivenRaftNode();
  one.lead();
  one.receive(3, request(9, at(9, 8)));
  expect(one.node.status).toMatchObject({ role: 'leader', epoch: 1 });
});

test('a pre-vote changes nothing and waits for no disk (thesis 9.6)', () => {
  const one = new DrivenRaftNode({ epoch: 1 });
  one.isSlow = true;
  one.receive(2, request(2_000_000, at(0, 0), true));
  one.receive(3, request(2_000_000, at(0, 0), true));
  one.receive(3, request(1, at(0, 0), true));
  expect(votes(one)).toEqual(['2 true', '3 true', '3 false']);
  expect(one.node.status).toMatchObject({ epoch: 1, votedFor: null });
});

test('one that lost its memory does not vote', () => {
  const stored = {
    hardState: { epoch: e(0), votedFor: null },
    snapshot: {
      last: at(0, 0),
      configuration: { voters: [memberOf(1), memberOf(2)], learners: [] },
      configurationIndex: 0,
    },
    entries: [],
  };
  const self = memberOf(1, 'other');
  const node = new RaftNode(self, DEFAULT_RAFT_CONFIG, stored, () => 0);
  node.start();
  const pre = node.step(memberOf(2), self, request(1, at(0, 0), true));
  expect(pre).toMatchObject([{ message: { isGranted: false } }]);
});

test('one that has heard of no members votes: the candidate knows who counts (thesis 4.2.1)', () => {
  const stored = { hardState: { epoch: e(0), votedFor: null }, snapshot: null, entries: [] };
  const node = new RaftNode(memberOf(4), DEFAULT_RAFT_CONFIG, stored, () => 0);
  const pre = node.step(memberOf(2), memberOf(4), request(1, at(0, 0), true));
  expect(pre).toMatchObject([{ message: { isGranted: true } }]);
});

test('whoever hears of a newer epoch follows in it (paper 5.1)', () => {
  const one = new DrivenRaftNode();
  one.lead();
  one.receive(2, { kind: 'append-answer', epoch: e(7), matchIndex: 99 });
  expect(one.node.status).toMatchObject({
    role: 'follower',
    epoch: 7,
    leader: null,
    commitIndex: 1,
  });
});

test('a pre-candidate that is behind learns the epoch from a refusal', () => {
  const one = new DrivenRaftNode();
  one.tick(10);
  one.receive(2, { kind: 'vote-answer', epoch: e(6), isPreVote: true, isGranted: false });
  expect(one.node.status).toMatchObject({ role: 'follower', epoch: 6 });
});

test('a leader of an epoch that is over is told so (paper 5.1)', () => {
  const one = new DrivenRaftNode({ epoch: 5 });
  one.append(2, 4, [0, 0]);
  expect(one.sent('heartbeat-answer')).toMatchObject([{ to: 2, message: { epoch: 5 } }]);
  expect(one.of('ignored')).toMatchObject([{ reason: 'stale' }]);
});

test('messages of and to nobody in particular are passed over', () => {
  const one = new DrivenRaftNode();
  one.receive(9, { kind: 'heartbeat-answer', epoch: e(9), round: 0 });
  one.receive(1, heartbeat(9));
  one.receive(2, { ...heartbeat(1), epoch: Number.NaN as never });
  one.run(one.node.step(memberOf(2), memberOf(1, 'old'), heartbeat(9)));
  const reasons = one.of('ignored').map(({ reason }) => reason);
  expect(reasons).toEqual(['unknown-sender', 'impossible', 'impossible', 'wrong-directory']);
  expect(one.node.status.epoch).toBe(0);
});

test('who does not lead refuses and names who does', () => {
  const one = new DrivenRaftNode({ epoch: 1 });
  one.receive(2, heartbeat(1));
  const refusal = { refused: 'not-leader', leader: memberOf(2) };
  expect(one.node.propose([new Uint8Array(1)])).toEqual(refusal);
  expect(one.node.read(1)).toEqual(refusal);
  expect(one.node.transferLeadership(memberOf(3))).toEqual(refusal);
  expect(one.node.changeMembership({ kind: 'remove', member: memberOf(3) })).toEqual(refusal);
  expect(
    one.node.chunkLoaded({
      to: memberOf(2),
      snapshotIndex: 1,
      offset: 0,
      bytes: null,
      isLast: false,
    }),
  ).toEqual([]);
});

test('a driver that applies what it was not given breaks the contract', () => {
  const alone = new DrivenRaftNode({ voters: 1 });
  expect(() => alone.node.applied(2)).toThrow('was handed over');
  alone.node.applied(1);
  expect(() => alone.node.applied(0)).toThrow('does not fall');
  expect(() => alone.node.describeSnapshot(2)).toThrow('what is applied');
});

test('a snapshot lets go of what it stands for', () => {
  const alone = new DrivenRaftNode({ voters: 1, config: { entriesKept: 0 } });
  alone.node.applied(1);
  const effects = alone.node.compact(alone.node.describeSnapshot(1)!);
  expect(effects).toEqual([{ kind: 'forget', throughIndex: 1 }]);
  expect(alone.node.status.base).toEqual(at(1, 1));
});
