import { expect, test } from 'vitest';
import { leaderEpoch } from '../../../src/model/ids.ts';
import {
  fromRaftParts,
  NO_RAFT_PARTS,
  toRaftParts,
} from '../../../src/quorum/raft-message-codec.ts';
import type { RaftMessage } from '../../../src/raft/messages.ts';

// All kinds, against protobufjs, in test/property/peer-frames.test.ts.

const epoch = leaderEpoch(2);
const append: RaftMessage = {
  ...{ kind: 'append', epoch, prev: { index: 4, epoch }, commitIndex: 3 },
  entries: [
    { kind: 'empty', index: 5, epoch },
    { kind: 'command', index: 6, epoch, bytes: Uint8Array.of(1) },
  ],
};

test('entries travel without their index and have it again', () => {
  const parts = { ...NO_RAFT_PARTS, ...toRaftParts(append) };
  expect(parts.append!.entries[1]).not.toHaveProperty('index');
  expect(fromRaftParts(parts)).toEqual(append);
});

test('no part is no message', () => {
  expect(fromRaftParts(NO_RAFT_PARTS)).toBeUndefined();
});

test('an entry of a kind that is not known is refused, not passed over', () => {
  const entry = { kind: 3, epoch, command: new Uint8Array(0), configuration: undefined };
  const parts = { ...NO_RAFT_PARTS, append: { ...append, entries: [entry] } };
  expect(() => fromRaftParts(parts)).toThrow('entry 5 is of kind 3, which is not known');
});
