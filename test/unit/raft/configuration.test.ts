import { expect, test } from 'vitest';
import {
  type Configuration,
  changed,
  isMember,
  isPossible,
  isVoter,
  memberOf,
  sameMember,
} from '../../../src/raft/configuration.ts';
import { memberOf as member } from '../../simulation/raft/raft-cluster.ts';

const three: Configuration = { voters: [member(1), member(2), member(3)], learners: [] };

test('another directory under the same id is somebody else', () => {
  expect(sameMember(member(2), member(2, 'other'))).toBe(false);
  expect(isVoter(three, member(2, 'other'))).toBe(false);
  expect(isMember(three, member(2, 'other'))).toBe(false);
  expect(memberOf(three, member(2).id)).toEqual(member(2));
});

test('a node becomes a voter in two steps, one member at a time', () => {
  const joined = changed(three, { kind: 'add-learner', member: member(4) }) as Configuration;
  expect(joined).toEqual({ voters: three.voters, learners: [member(4)] });
  expect(isVoter(joined, member(4))).toBe(false);
  expect(isMember(joined, member(4))).toBe(true);
  const promoted = changed(joined, { kind: 'promote', member: member(4) });
  expect(promoted).toEqual({ voters: [...three.voters, member(4)], learners: [] });
});

test('voters stand in the order of their ids', () => {
  const two: Configuration = { voters: [member(2), member(3)], learners: [member(1)] };
  const promoted = changed(two, { kind: 'promote', member: member(1) }) as Configuration;
  expect(promoted.voters.map(({ id }) => id)).toEqual([1, 2, 3]);
});

test('a voter and a learner can be removed', () => {
  const removed = changed(three, { kind: 'remove', member: member(2) });
  expect(removed).toEqual({ voters: [member(1), member(3)], learners: [] });
  const learner: Configuration = { voters: [member(1)], learners: [member(2)] };
  expect(changed(learner, { kind: 'remove', member: member(2) })).toEqual({
    voters: [member(1)],
    learners: [],
  });
});

test('what cannot be is refused by name', () => {
  const one: Configuration = { voters: [member(1)], learners: [member(2)] };
  expect(changed(one, { kind: 'remove', member: member(1) })).toBe('last-voter');
  expect(changed(one, { kind: 'remove', member: member(3) })).toBe('unknown-member');
  expect(changed(one, { kind: 'remove', member: member(1, 'other') })).toBe('unknown-member');
  expect(changed(one, { kind: 'promote', member: member(1) })).toBe('unknown-member');
  expect(changed(one, { kind: 'promote', member: member(2, 'other') })).toBe('unknown-member');
  expect(changed(one, { kind: 'add-learner', member: member(1) })).toBe('id-in-use');
  expect(changed(one, { kind: 'add-learner', member: member(2, 'other') })).toBe('id-in-use');
});

test('no voter, and an id twice, are no configuration', () => {
  expect(isPossible(three)).toBe(true);
  expect(isPossible({ voters: [], learners: [member(1)] })).toBe(false);
  expect(isPossible({ voters: [member(1)], learners: [member(1, 'other')] })).toBe(false);
});
