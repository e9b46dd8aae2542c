import { expect, test } from 'vitest';
import type { Configuration } from '../../../src/raft/configuration.ts';
import type { Entry, SnapshotMeta } from '../../../src/raft/entry.ts';
import { RaftLog } from '../../../src/raft/raft-log.ts';
import { at, entriesOf, entryAt, votersOf } from '../../support/driven-raft-node.ts';

const members = (count: number): Configuration => ({ voters: votersOf(count), learners: [] });
const change = (index: number, epoch: number, count: number): Entry => ({
  kind: 'configuration',
  ...at(index, epoch),
  configuration: members(count),
});
const snapshotAt = (index: number, epoch: number, count = 3): SnapshotMeta => ({
  last: at(index, epoch),
  configuration: members(count),
  configurationIndex: 0,
});
const formed = snapshotAt(0, 0);

test('a log knows its entries and what was right before the first', () => {
  const log = new RaftLog(snapshotAt(2, 1), [entryAt(3, 1), entryAt(4, 2)]);
  expect(log.base).toEqual(at(2, 1));
  expect([1, 2, 3, 4, 5].map((index) => log.epochAt(index))).toEqual([
    undefined,
    1,
    1,
    2,
    undefined,
  ]);
  expect(log.has(at(4, 2))).toBe(true);
  expect(log.has(at(4, 1))).toBe(false);
  expect(log.last).toEqual(entryAt(4, 2));
});

test('stored entries that the snapshot stands for are passed over', () => {
  expect(new RaftLog(snapshotAt(2, 1), entriesOf(1, 1, 1)).last.index).toBe(3);
  expect(new RaftLog(snapshotAt(5, 1), entriesOf(1, 1)).last).toEqual(at(5, 1));
});

test('the log with the later epoch at its end is newer, then the longer one (paper 5.4.1)', () => {
  const log = new RaftLog(formed, entriesOf(1, 2, 2));
  expect(log.isCoveredBy(at(3, 2))).toBe(true);
  expect(log.isCoveredBy(at(1, 3))).toBe(true);
  expect(log.isCoveredBy(at(2, 2))).toBe(false);
  expect(log.isCoveredBy(at(9, 1))).toBe(false);
});

test('no gap and no epoch that falls gets into a log', () => {
  const log = new RaftLog(formed, entriesOf(2));
  expect(() => log.append([entryAt(3, 2)])).toThrow('no gap');
  expect(() => log.append([entryAt(2, 1)])).toThrow('do not fall');
});

test('members count from their entry on, and no longer when it is cut off (thesis 4.1)', () => {
  const log = new RaftLog(formed, [entryAt(1, 1), change(2, 1, 4), entryAt(3, 1), change(4, 1, 5)]);
  expect(log.configuration).toEqual(members(5));
  expect(log.previousConfiguration).toEqual(members(4));
  log.truncateFrom(4);
  expect([log.configurationIndex, log.configuration]).toEqual([2, members(4)]);
  log.truncateFrom(1);
  expect([log.configurationIndex, log.configuration]).toEqual([0, members(3)]);
  expect(log.last).toEqual(at(0, 0));
});

test('entries are read by bytes, but one at least', () => {
  const log = new RaftLog(formed, entriesOf(1, 1, 1));
  expect(log.slice(2, 1)).toEqual([entryAt(2, 1)]);
  expect(log.slice(1, 60)).toHaveLength(2);
  expect(log.slice(1, 10_000)).toHaveLength(3);
  expect(log.slice(4, 10_000)).toEqual([]);
  expect(log.range(2, 3)).toEqual([entryAt(2, 1), entryAt(3, 1)]);
});

test('where logs may agree is found by epochs', () => {
  const log = new RaftLog(formed, entriesOf(1, 1, 4, 4, 6));
  expect(log.lastAtMost(at(9, 9))).toEqual(at(5, 6));
  expect(log.lastAtMost(at(9, 5))).toEqual(at(4, 4));
  expect(log.lastAtMost(at(4, 3))).toEqual(at(2, 1));
  expect(log.lastAtMost(at(1, 4))).toEqual(at(1, 1));
  expect(log.lastAtMost(at(5, 0))).toEqual(at(0, 0));
});

test('a snapshot has the members as of its last entry, not the newest', () => {
  const log = new RaftLog(formed, [entryAt(1, 1), change(2, 1, 4), entryAt(3, 1)]);
  expect(log.describeSnapshot(1)).toEqual(snapshotAt(1, 1, 3));
  expect(log.describeSnapshot(2)).toEqual({ ...snapshotAt(2, 1, 4), configurationIndex: 2 });
  expect(log.describeSnapshot(9)).toBeNull();
});

test('compaction keeps some entries for slow followers, and the members', () => {
  const log = new RaftLog(formed, [entryAt(1, 1), change(2, 1, 4), entryAt(3, 1), change(4, 1, 5)]);
  const snapshot = log.describeSnapshot(3)!;
  expect(log.compact(snapshot, 5)).toBe(false);
  expect(log.base.index).toBe(0);
  expect(log.compact(snapshot, 1)).toBe(true);
  expect(log.base).toEqual(at(2, 1));
  expect(log.snapshot).toEqual(snapshot);
  expect(log.describeSnapshot(3)).toEqual(snapshot);
  expect(log.configuration).toEqual(members(5));
  // A newer one has come from the leader meanwhile.
  expect(log.compact(snapshotAt(1, 1), 0)).toBe(false);
});

test('a snapshot from elsewhere takes the place of all', () => {
  const log = new RaftLog(formed, entriesOf(1, 1));
  log.restore(snapshotAt(5, 2, 4));
  expect(log.last).toEqual(at(5, 2));
  expect(log.configuration).toEqual(members(4));
  expect(() => log.restore(snapshotAt(5, 2))).toThrow('is kept');
});

test('the first entry that is missing, or another, is found', () => {
  const log = new RaftLog(formed, entriesOf(1, 1, 2));
  expect(log.firstMissing(entriesOf(1, 1, 2))).toBe(-1);
  expect(log.firstMissing(entriesOf(1, 1, 3))).toBe(2);
  expect(log.firstMissing(entriesOf(1, 1, 2, 2))).toBe(3);
});
