import { expect, test } from 'vitest';
import { memberOf } from '../../simulation/raft/raft-cluster.ts';
import { at, DrivenRaftNode, e } from '../../support/driven-raft-node.ts';

const answer = (epoch: number, isPreVote: boolean, isGranted: boolean) => ({
  kind: 'vote-answer' as const,
  epoch: e(epoch),
  isPreVote,
  isGranted,
});

/** A candidate of epoch 3, asked for by nobody. */
function candidate(): DrivenRaftNode {
  const one = new DrivenRaftNode({ voters: 5, epoch: 2, log: [1, 2] });
  one.tick(10);
  one.receive(2, answer(3, true, true));
  one.receive(3, answer(3, true, true));
  return one;
}

test('a follower that hears nothing asks first, in the epoch that it is in (thesis 9.6)', () => {
  const one = new DrivenRaftNode({ epoch: 2, log: [1, 2] });
  one.tick(9);
  expect(one.node.status.role).toBe('follower');
  one.tick();
  expect(one.node.status).toMatchObject({ role: 'pre-candidate', epoch: 2, votedFor: null });
  const request = { epoch: 3, isPreVote: true, isTransfer: false, last: at(2, 2) };
  expect(one.sent('vote')).toMatchObject([
    { to: 2, message: request },
    { to: 3, message: request },
  ]);
});

test('it begins a new epoch and votes for itself (paper 5.2)', () => {
  const one = candidate();
  expect(one.node.status).toMatchObject({ role: 'candidate', epoch: 3, votedFor: memberOf(1) });
  const requests = one.sent('vote').filter(({ message }) => !message.isPreVote);
  expect(requests.map(({ to }) => to)).toEqual([2, 3, 4, 5]);
});

test('nobody is asked before its own vote is durable', () => {
  const one = new DrivenRaftNode({ epoch: 2 });
  one.tick(10);
  one.isSlow = true;
  one.take();
  one.receive(2, answer(3, true, true));
  expect(one.node.status.role).toBe('candidate');
  expect(one.sent('vote')).toEqual([]);
  // However long that takes: another election would not be faster.
  one.tick(50);
  expect(one.node.status.epoch).toBe(3);
  one.persist();
  expect(one.sent('vote')).toHaveLength(2);
});

test('a vote that becomes durable when another leads is of no use', () => {
  const one = new DrivenRaftNode();
  one.tick(10);
  one.isSlow = true;
  one.receive(2, answer(1, true, true));
  one.receive(3, { kind: 'heartbeat', epoch: e(1), commitIndex: 0, round: 0 });
  one.take();
  one.persist();
  expect(one.node.status).toMatchObject({ role: 'follower', leader: memberOf(3) });
  expect(one.sent('vote')).toEqual([]);
});

test('the votes of a majority make a leader (paper 5.2)', () => {
  const one = candidate();
  one.receive(2, answer(3, false, true));
  one.receive(2, answer(3, false, true));
  expect(one.node.status.role).toBe('candidate');
  one.receive(4, answer(3, false, true));
  expect(one.node.status.role).toBe('leader');
});

test('who is refused by a majority follows', () => {
  const one = candidate();
  one.receive(2, answer(3, false, false));
  one.receive(3, answer(3, false, false));
  expect(one.node.status.role).toBe('candidate');
  one.receive(4, answer(3, false, false));
  expect(one.node.status).toMatchObject({ role: 'follower', epoch: 3, leader: null });
});

test('a leader of its epoch, or of a newer one, ends a candidacy (paper 5.2)', () => {
  for (const epoch of [3, 4]) {
    const one = candidate();
    one.receive(5, { kind: 'heartbeat', epoch: e(epoch), commitIndex: 0, round: 0 });
    expect(one.node.status).toMatchObject({ role: 'follower', epoch, leader: memberOf(5) });
  }
});

test('an older one does not (paper 5.2)', () => {
  const one = candidate();
  one.receive(5, { kind: 'heartbeat', epoch: e(2), commitIndex: 0, round: 0 });
  expect(one.node.status).toMatchObject({ role: 'candidate', epoch: 3 });
  expect(one.sent('heartbeat-answer')).toMatchObject([{ to: 5, message: { epoch: 3 } }]);
});

test('an election that nobody wins is begun anew with a question', () => {
  const one = candidate();
  one.tick(10);
  expect(one.node.status).toMatchObject({ role: 'pre-candidate', epoch: 3 });
});

test('answers of another round, of learners and of strangers do not count', () => {
  const learners = [memberOf(4)];
  const one = new DrivenRaftNode({ learners });
  one.tick(10);
  one.receive(4, answer(1, true, true));
  one.receive(9, answer(1, true, true));
  one.receive(2, answer(1, false, true));
  one.run(one.node.step(memberOf(2, 'other'), memberOf(1), answer(1, true, true)));
  expect(one.node.status).toMatchObject({ role: 'follower', epoch: 1 });
});
