import { expect, test } from 'vitest';
import { PendingWrites } from '../../../src/raft/pending-writes.ts';
import { at, e, entriesOf, entryAt } from '../../support/driven-raft-node.ts';

const hardState = { epoch: e(2), votedFor: null };

test('what comes together in a call is one batch', () => {
  const writes = new PendingWrites(0);
  expect(writes.flush(0)).toBeNull();
  writes.hardState(hardState);
  writes.append(entriesOf(1));
  writes.append([entryAt(2, 1)]);
  expect(writes.flush(2)).toEqual({
    kind: 'persist',
    sequence: 1,
    hardState,
    truncateFrom: null,
    entries: entriesOf(1, 1),
    chunk: null,
  });
  expect(writes.flush(2)).toBeNull();
});

test('the log is durable as far as its batches are', () => {
  const writes = new PendingWrites(3);
  writes.append([entryAt(4, 1)]);
  writes.flush(4);
  writes.append([entryAt(5, 1)]);
  writes.flush(5);
  expect(writes.persistedIndex).toBe(3);
  writes.persisted(1);
  expect(writes.persistedIndex).toBe(4);
  writes.persisted(2);
  expect(writes.persistedIndex).toBe(5);
});

test('a batch from before a cut says nothing of the log after it', () => {
  const writes = new PendingWrites(1);
  writes.append([entryAt(2, 1)]);
  writes.flush(2);
  writes.truncateFrom(2);
  writes.append([entryAt(2, 2)]);
  writes.flush(2);
  writes.persisted(1);
  expect(writes.persistedIndex).toBe(1);
  writes.persisted(2);
  expect(writes.persistedIndex).toBe(2);
});

test('what is durable and cut off is durable no more', () => {
  const writes = new PendingWrites(5);
  writes.truncateFrom(3);
  expect(writes.persistedIndex).toBe(2);
});

test('what waits runs when all before it is durable, in order', () => {
  const writes = new PendingWrites(0);
  const ran: string[] = [];
  writes.whenPersisted(() => ran.push('at once'));
  writes.hardState(hardState);
  writes.whenPersisted(() => ran.push('with the first'));
  writes.flush(0);
  writes.whenPersisted(() => ran.push('after the first'));
  writes.append(entriesOf(1));
  writes.flush(1);
  writes.whenPersisted(() => ran.push('after the second'));
  expect(ran).toEqual(['at once']);
  writes.persisted(1);
  expect(ran).toEqual(['at once', 'with the first', 'after the first']);
  writes.persisted(2);
  expect(ran.at(-1)).toBe('after the second');
});

test('a snapshot takes the place of the log when it is durable', () => {
  const writes = new PendingWrites(4);
  const snapshot = {
    last: at(9, 2),
    configuration: { voters: [], learners: [] },
    configurationIndex: 0,
  };
  writes.chunk({ snapshot, offset: 0, bytes: new Uint8Array(1), isLast: true });
  writes.replaceAll(3);
  expect(writes.persistedIndex).toBe(3);
  writes.flush(9);
  writes.persisted(1);
  expect(writes.persistedIndex).toBe(9);
});

test('a driver that tells of a batch twice, or of none, breaks the contract', () => {
  const writes = new PendingWrites(0);
  writes.hardState(hardState);
  writes.flush(0);
  expect(() => writes.persisted(2)).toThrow('told once');
  writes.persisted(1);
  expect(() => writes.persisted(1)).toThrow('told once');
});
