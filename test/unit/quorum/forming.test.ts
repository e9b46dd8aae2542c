import { describe, expect, test } from 'vitest';
import { nodeId } from '../../../src/model/ids.ts';
import { decide, type FormedCluster, type Introduction } from '../../../src/quorum/forming.ts';
import type { Member } from '../../../src/raft/configuration.ts';

const member = (id: number, directoryId = `d${id}`): Member => ({ id: nodeId(id), directoryId });
const listed = [1, 2, 3].map((id) => ({ id: nodeId(id), address: `n${id}:1` }));
const all = [1, 2, 3].map((id) => member(id));

const empty = (id: number, more: Partial<Introduction> = {}): Introduction => ({
  ...{ self: member(id), clusterId: '', voters: listed, address: `n${id}:1`, formed: undefined },
  seen: all.filter((one) => one.id !== id),
  ...more,
});
const cluster = (more: Partial<FormedCluster> = {}): FormedCluster => ({
  ...{ clusterId: 'X', leader: undefined },
  initial: { voters: all, learners: [] },
  current: { voters: all, learners: [] },
  ...more,
});
const formed = (id: number, more: Partial<FormedCluster> = {}): Introduction =>
  empty(id, { formed: cluster(more) });

const from = (...answers: Introduction[]) =>
  new Map(answers.map((answer) => [answer.self.id, answer]));
const reasonOf = (...args: Parameters<typeof decide>): string => {
  const decision = decide(...args);
  return `${decision.kind}: ${'reason' in decision ? decision.reason : ''}`;
};

describe('forming', () => {
  test('the voter with the lowest id forms when all are empty and have seen all', () => {
    expect(decide(empty(1), from(empty(2), empty(3)))).toEqual({
      ...{ kind: 'form', clusterId: null },
      initial: { voters: all, learners: [] },
    });
    expect(reasonOf(empty(2), from(empty(1), empty(3)))).toContain('wait: ');
  });

  test('not before each voter has reached each other as the same member', () => {
    const blind = empty(3, { seen: [member(1)] });
    expect(reasonOf(empty(1), from(empty(2), blind))).toBe(
      'wait: all voters are there; node 3 has not yet reached node 2',
    );
    const misled = empty(3, { seen: [member(1, 'other'), member(2)] });
    expect(reasonOf(empty(1), from(empty(2), misled))).toContain(
      'node 3 reaches under id 1 a node with data directory other, not d1',
    );
  });

  test('not while one is missing', () => {
    expect(reasonOf(empty(1), from(empty(2)))).toContain('not reached: 3@n3:1');
  });

  test('not with lists that differ, directories that are copies, or cluster ids that differ', () => {
    const short = empty(3, { voters: listed.slice(1) });
    expect(reasonOf(empty(1), from(empty(2), short))).toContain(
      'refuse: node 1 was given the voters 1@n1:1,2@n2:1,3@n3:1, node 3 the voters 2@n2:1,3@n3:1',
    );
    // The same nodes at other addresses, in another order, are the same voters.
    const moved = listed.toReversed().map(({ id }) => ({ id, address: `m${id}:1` }));
    const agreeing = empty(3, { voters: moved });
    expect(decide(empty(1), from(empty(2), agreeing)).kind).toBe('form');
    const copy = empty(3, { self: member(3, 'd2'), seen: all });
    expect(reasonOf(empty(1), from(empty(2), copy))).toContain('the same data directory');
    const a = empty(2, { clusterId: 'A' });
    expect(reasonOf(empty(1), from(a, empty(3, { clusterId: 'B' })))).toContain('A, B');
    expect(decide(empty(1), from(a, empty(3)))).toMatchObject({ kind: 'form', clusterId: 'A' });
  });

  test('not with an address that leads elsewhere, or an id that is used twice', () => {
    const swapped = new Map([
      [nodeId(2), empty(3)],
      [nodeId(3), empty(2)],
    ]);
    expect(reasonOf(empty(1), swapped)).toContain(
      'refuse: at the address n2:1 of voter 2 is node 3',
    );
    const mirror = new Map([[nodeId(2), empty(1)]]);
    expect(reasonOf(empty(1), mirror)).toContain('is that of this node');
    const twin = new Map([[nodeId(2), empty(2, { self: member(1, 'other') })]]);
    expect(reasonOf(empty(1), twin)).toContain('id 1 is used twice');
  });

  test('a node that is not listed forms nothing', () => {
    expect(reasonOf(empty(4), from(empty(1), empty(2), empty(3)))).toContain('wait: ');
  });
});

describe('a cluster that is formed', () => {
  test('a voter that it names begins, whoever else is there', () => {
    expect(decide(empty(3), from(formed(1)))).toEqual({
      ...{ kind: 'begin', clusterId: 'X' },
      initial: { voters: all, learners: [] },
    });
    expect(decide(empty(1), from(formed(3), empty(2))).kind).toBe('begin');
  });

  test('one with another directory is refused, whatever the cluster was formed with', () => {
    const wiped = empty(2, { self: member(2, 'new') });
    expect(reasonOf(wiped, from(formed(3)))).toContain(
      'refuse: node 2 of cluster X has data directory d2, this one is new: it is empty or another disk',
    );
    const asLearner = { current: { voters: [member(1)], learners: [member(2)] } };
    expect(reasonOf(wiped, from(formed(3, asLearner)))).toContain('refuse: ');
  });

  test('who is not in it joins, also one that was removed, and one that was let in and lost it', () => {
    expect(decide(empty(4), from(formed(1))).kind).toBe('join');
    const without = { current: { voters: [member(1), member(3)], learners: [] } };
    expect(decide(empty(2), from(formed(1, without))).kind).toBe('join');
    const wiped = empty(2, { self: member(2, 'new') });
    expect(decide(wiped, from(formed(1, without))).kind).toBe('join');
    const withLearner = { current: { voters: all, learners: [member(4)] } };
    expect(decide(empty(4), from(formed(1, withLearner))).kind).toBe('join');
  });

  test('the word of the leader counts most, then that of one that knows it', () => {
    const without = { current: { voters: [member(1), member(3)], learners: [] } };
    const leader = { id: nodeId(3), address: 'n3:1' };
    const old = formed(1);
    const following = formed(4, { ...without, leader });
    const leading = formed(3, { ...without, leader });
    const joiner = empty(2, { self: member(2, 'new') });
    for (const answers of [from(old, leading), from(leading, old), from(old, following)]) {
      expect(decide(joiner, answers).kind).toBe('join');
    }
  });

  test('two clusters, or another than the one that is set, are refused', () => {
    const two = from(formed(1), formed(2, { clusterId: 'Y' }));
    expect(reasonOf(empty(3), two)).toContain(
      'refuse: the listed voters are of two clusters, X and Y',
    );
    expect(decide(empty(3, { clusterId: 'X' }), two).kind).toBe('begin');
    expect(reasonOf(empty(3, { clusterId: 'Z' }), two)).toContain('refuse: ');
  });

  test('one that cannot be is passed over', () => {
    const none = formed(1, { initial: { voters: [], learners: [] } });
    expect(decide(empty(3), from(none, empty(2))).kind).toBe('wait');
  });
});
