import { expect, test } from 'vitest';
import type {
  Append,
  RaftMessage,
  SnapshotChunk,
  VoteRequest,
} from '../../../src/raft/messages.ts';
import { isFromLeader, isWellFormed, MAX_EPOCH } from '../../../src/raft/messages.ts';
import { at, e, entriesOf, entryAt, votersOf } from '../../support/driven-raft-node.ts';

const vote: VoteRequest = {
  kind: 'vote',
  epoch: e(3),
  isPreVote: false,
  isTransfer: false,
  last: at(5, 2),
};
const append: Append = {
  kind: 'append',
  epoch: e(3),
  prev: at(1, 1),
  entries: [entryAt(2, 1), entryAt(3, 3)],
  commitIndex: 1,
};
const chunk: SnapshotChunk = {
  kind: 'snapshot-chunk',
  epoch: e(3),
  snapshot: {
    last: at(5, 2),
    configuration: { voters: votersOf(1), learners: [] },
    configurationIndex: 0,
  },
  offset: 0,
  bytes: new Uint8Array(1),
  isLast: true,
};
const epoch = e(3);

test.each<RaftMessage>([
  vote,
  append,
  chunk,
  { kind: 'vote-answer', epoch, isPreVote: false, isGranted: true },
  { kind: 'append-answer', epoch, matchIndex: 1 },
  { kind: 'append-refusal', epoch, prevIndex: 1, hint: at(0, 0) },
  { kind: 'heartbeat', epoch, commitIndex: 0, round: 0 },
  { kind: 'heartbeat-answer', epoch, round: 0 },
  { kind: 'snapshot-answer', epoch, snapshotIndex: 1, nextOffset: 0 },
  { kind: 'timeout-now', epoch },
])('$kind can be, but not in an epoch that cannot', (message) => {
  expect(isWellFormed(message)).toBe(true);
  for (const wrong of [-1, 1.5, Number.NaN, MAX_EPOCH + 1]) {
    expect(isWellFormed({ ...message, epoch: wrong as typeof epoch })).toBe(false);
  }
});

test.each<[string, RaftMessage]>([
  ['a log as new as the epoch to come', { ...vote, last: at(5, 3) }],
  ['a log with a negative end', { ...vote, last: { index: -1, epoch } }],
  ['entries with a gap', { ...append, entries: [entryAt(3, 1)] }],
  ['entries that go back', { ...append, prev: at(1, 2), entries: [entryAt(2, 1)] }],
  ['entries newer than their leader', { ...append, entries: [entryAt(2, 4)] }],
  ['a place newer than its leader', { ...append, prev: at(1, 4), entries: [] }],
  ['a commit index that is none', { ...append, commitIndex: Number.NaN }],
  [
    'members that nobody can be',
    {
      ...append,
      entries: [
        { kind: 'configuration', ...at(2, 1), configuration: { voters: [], learners: [] } },
      ],
    },
  ],
  ['a match that is none', { kind: 'append-answer', epoch, matchIndex: 0.5 }],
  ['a hint that is none', { kind: 'append-refusal', epoch, prevIndex: 1, hint: at(-1, 0) }],
  ['a round that is none', { kind: 'heartbeat', epoch, commitIndex: 0, round: -1 }],
  ['an answer to no round', { kind: 'heartbeat-answer', epoch, round: Number.NaN }],
  ['an offset that is none', { kind: 'snapshot-answer', epoch, snapshotIndex: 1, nextOffset: -1 }],
  ['a piece before the beginning', { ...chunk, offset: -1 }],
  ['a snapshot of nothing', { ...chunk, snapshot: { ...chunk.snapshot, last: at(0, 0) } }],
  ['a snapshot of the future', { ...chunk, snapshot: { ...chunk.snapshot, last: at(5, 4) } }],
  ['members of later', { ...chunk, snapshot: { ...chunk.snapshot, configurationIndex: 6 } }],
])('%s is seen', (_, message) => {
  expect(isWellFormed(message)).toBe(false);
});

test('what a leader sends on its own is told from answers', () => {
  expect([append, chunk].every(isFromLeader)).toBe(true);
  expect(isFromLeader(vote)).toBe(false);
  expect(isWellFormed({ ...append, prev: at(0, 0), entries: entriesOf(1, 2, 3) })).toBe(true);
});
