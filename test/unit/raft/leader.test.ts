import { expect, test } from 'vitest';
import { memberOf } from '../../simulation/raft/raft-cluster.ts';
import { at, type DrivenOptions, DrivenRaftNode, e } from '../../support/driven-raft-node.ts';

function leading(options: DrivenOptions = {}, isCommitted = true): DrivenRaftNode {
  const one = new DrivenRaftNode(options);
  one.lead(isCommitted);
  return one;
}

const bytes = (size: number) => new Uint8Array(size);
const heartbeatAnswer = (epoch: number, round: number) => ({
  kind: 'heartbeat-answer' as const,
  epoch: e(epoch),
  round,
});

test('an epoch begins with an entry of its own, and what is before is committed with that (paper 5.4.2)', () => {
  const one = new DrivenRaftNode({ epoch: 2, log: [1, 2] });
  one.lead(false);
  // The entry of epoch 2 is on a majority: it counts for nothing (figure 8).
  one.matched(2, 2);
  expect(one.node.status.commitIndex).toBe(0);
  one.matched(2, 3);
  expect(one.node.status.commitIndex).toBe(3);
});

test('the very first entry has the members of the forming, later epochs begin with an empty one', () => {
  const one = leading();
  expect(one.node.status.last).toMatchObject({ ...at(1, 1), kind: 'configuration' });
  expect(one.node.status).toMatchObject({ configurationIndex: 1, commitIndex: 1 });
  one.receive(2, heartbeatAnswer(2, 0));
  one.lead(false);
  expect(one.node.status.last).toMatchObject({ ...at(2, 3), kind: 'empty' });
});

test('its own part counts when it is durable', () => {
  const one = leading({ voters: 3 });
  one.isSlow = true;
  one.ask(one.node.propose([bytes(1)]));
  const { last } = one.node.status;
  one.matched(2, last.index);
  expect(one.node.status.commitIndex).toBe(last.index - 1);
  one.matched(3, last.index);
  expect(one.node.status.commitIndex).toBe(last.index);
  // Not applied before it is durable here, too.
  expect(one.node.status.handedIndex).toBe(last.index - 1);
});

test('commands become entries, one each, and leave while they are being written (thesis 10.2.1)', () => {
  const one = leading();
  one.isSlow = true;
  const outcome = one.ask(one.node.propose([bytes(1), bytes(2)]));
  expect(outcome).toMatchObject({ refused: null, last: at(3, 1) });
  expect(one.sent('append')[0]).toMatchObject({
    to: 2,
    message: { entries: [at(2, 1), at(3, 1)] },
  });
});

test('what is not committed is bounded by bytes, though one proposal may go beyond', () => {
  const one = leading({ config: { uncommittedBytesMax: 100 } });
  expect(one.node.propose([bytes(500)]).refused).toBeNull();
  expect(one.node.propose([bytes(1)])).toEqual({
    refused: 'too-much-uncommitted',
    leader: memberOf(1),
  });
  one.matched(2, 2);
  one.matched(3, 2);
  expect(one.node.propose([bytes(1)]).refused).toBeNull();
});

test('heartbeats leave every so many ticks, and say no more than the follower has', () => {
  const one = leading();
  one.tick(2);
  expect(one.sent('heartbeat')).toMatchObject([
    { to: 2, message: { commitIndex: 1 } },
    { to: 3, message: { commitIndex: 0 } },
  ]);
});

test('a leader that hears of no majority resigns (thesis 6.2)', () => {
  const one = leading({ voters: 5 });
  one.tick(9);
  one.receive(2, heartbeatAnswer(1, 0));
  expect(one.node.status.role).toBe('leader');
  one.tick(1);
  one.receive(2, heartbeatAnswer(1, 0));
  one.tick(10);
  expect(one.node.status).toMatchObject({ role: 'follower', epoch: 1, leader: null });
});

test('a read waits for a round of heartbeats to a majority (thesis 6.4)', () => {
  const one = leading({ voters: 5, learners: [memberOf(6)] }, false);
  one.matched(2, 1);
  one.matched(3, 1);
  one.ask(one.node.read(7));
  expect(one.sent('heartbeat').filter(({ message }) => message.round === 1)).toHaveLength(5);
  one.receive(2, heartbeatAnswer(1, 1));
  one.receive(6, heartbeatAnswer(1, 1));
  one.receive(3, heartbeatAnswer(1, 0));
  expect(one.of('read-ready')).toEqual([]);
  one.receive(3, heartbeatAnswer(1, 1));
  expect(one.of('read-ready')).toEqual([{ kind: 'read-ready', requestId: 7, index: 1 }]);
});

test('a read before anything of the epoch is committed waits for that', () => {
  const one = leading({}, false);
  one.ask(one.node.read(7));
  expect(one.sent('heartbeat')).toEqual([]);
  one.matched(2, 1);
  one.receive(2, heartbeatAnswer(1, 1));
  expect(one.of('read-ready')).toMatchObject([{ index: 1 }]);
});

test('reads that cannot be answered any more fail', () => {
  const one = leading();
  one.ask(one.node.read(7));
  one.receive(2, heartbeatAnswer(5, 0));
  expect(one.of('read-failed')).toEqual([{ kind: 'read-failed', requestId: 7 }]);
  expect(one.node.status).toMatchObject({ role: 'follower', epoch: 5 });
});

test('members change one at a time, after an entry of the epoch is committed', () => {
  const one = leading({}, false);
  const add = { kind: 'add-learner' as const, member: memberOf(4) };
  expect(one.node.changeMembership(add).refused).toBe('epoch-not-committed');
  one.matched(2, 1);
  expect(one.node.changeMembership(add).refused).toBeNull();
  expect(one.node.status.configuration.learners).toEqual([memberOf(4)]);
  expect(one.node.changeMembership(add).refused).toBe('change-in-progress');
});

test('a learner is promoted when it has what was committed when the last heartbeats left', () => {
  const one = leading({ learners: [memberOf(4)] });
  const promote = { kind: 'promote' as const, member: memberOf(4) };
  expect(one.node.changeMembership(promote).refused).toBe('not-caught-up');
  one.matched(4, 1);
  expect(one.node.changeMembership(promote).refused).toBeNull();
});

test('a read that waited for those who are removed is answered', () => {
  const one = leading({ voters: 2 });
  one.ask(one.node.read(7));
  one.ask(one.node.changeMembership({ kind: 'remove', member: memberOf(2) }));
  expect(one.of('read-ready')).toMatchObject([{ requestId: 7 }]);
});

test('a leader that removes itself leads until that is committed, without counting itself (thesis 4.2.2)', () => {
  const one = leading();
  one.ask(one.node.changeMembership({ kind: 'remove', member: memberOf(1) }));
  one.matched(2, 2);
  expect(one.node.status).toMatchObject({ role: 'leader', commitIndex: 1 });
  one.matched(3, 2);
  expect(one.node.status).toMatchObject({ role: 'follower', commitIndex: 2, leader: null });
});

test('leadership goes to a voter that has everything; meanwhile nothing is proposed (thesis 3.10)', () => {
  const one = leading({ learners: [memberOf(4)] });
  expect(one.node.transferLeadership(memberOf(4)).refused).toBe('unknown-member');
  expect(one.node.transferLeadership(memberOf(1)).refused).toBe('unknown-member');
  one.ask(one.node.transferLeadership(memberOf(3)));
  expect(one.sent('timeout-now')).toEqual([]);
  expect(one.node.propose([bytes(1)]).refused).toBe('transferring');
  expect(one.node.changeMembership({ kind: 'remove', member: memberOf(2) }).refused).toBe(
    'transferring',
  );
  one.matched(3, 1);
  expect(one.sent('timeout-now')).toMatchObject([{ to: 3 }]);
  one.tick(10);
  expect(one.of('transfer-given-up')).toEqual([{ kind: 'transfer-given-up', to: memberOf(3) }]);
  expect(one.node.propose([bytes(1)]).refused).toBeNull();
});

test('an answer beyond its log, and another leader of its epoch, are impossible', () => {
  const one = leading();
  one.matched(2, 99);
  one.append(2, 1, [0, 0]);
  expect(one.of('ignored').map(({ reason }) => reason)).toEqual(['impossible', 'impossible']);
});
