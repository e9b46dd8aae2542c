import { expect, test } from 'vitest';
import { groupWrites, type WaitingWrite } from '../../../src/quorum/write-groups.ts';
import { arrived, command, vote } from '../../support/storage-story.ts';

let sequence = 0;
const write = (parts: Partial<WaitingWrite>): WaitingWrite => ({
  ...{ sequence: ++sequence, hardState: null, truncateFrom: null, entries: [], snapshot: null },
  ...parts,
});
const names = (writes: readonly WaitingWrite[]) =>
  groupWrites(writes).batch?.entries.map(({ index, epoch }) => `${index}@${epoch}`);

test('what waits goes together, the newest hard state with it', () => {
  const writes = [
    write({ hardState: vote(1, 1) }),
    write({ entries: [command(1, 1), command(2, 1)] }),
    write({ hardState: vote(2, 3) }),
  ];
  expect(groupWrites(writes)).toMatchObject({
    count: 3,
    batch: { hardState: vote(2, 3), truncateFrom: null },
  });
  expect(names(writes)).toEqual(['1@1', '2@1']);
});

test('what is cut off again is not written', () => {
  const writes = [
    write({ entries: [command(5, 1), command(6, 1), command(7, 1)] }),
    write({ truncateFrom: 6, entries: [command(6, 2)] }),
  ];
  expect(names(writes)).toEqual(['5@1', '6@2']);
  expect(groupWrites(writes).batch?.truncateFrom).toBeNull();
});

test('a truncation of what is on the disk stays, the deepest of several', () => {
  const writes = [
    write({ entries: [command(9, 1)] }),
    write({ truncateFrom: 6, entries: [command(6, 2), command(7, 2)] }),
    write({ truncateFrom: 7, entries: [command(7, 3)] }),
    write({ truncateFrom: 4, entries: [command(4, 4)] }),
    write({ truncateFrom: 4, entries: [command(4, 5)] }),
  ];
  expect(groupWrites(writes).batch?.truncateFrom).toBe(4);
  expect(names(writes)).toEqual(['4@5']);
  expect(groupWrites(writes.slice(0, 3)).batch?.truncateFrom).toBe(6);
  expect(names(writes.slice(0, 3))).toEqual(['6@2', '7@3']);
});

test('a snapshot goes alone, after what came before it', () => {
  const snapshot = arrived(9, 2, ['9@2']);
  const writes = [
    write({ entries: [command(5, 1)] }),
    write({ hardState: vote(3, null), snapshot }),
    write({ entries: [command(10, 3)] }),
  ];
  expect(groupWrites(writes)).toMatchObject({ count: 1, batch: { snapshot: null } });
  expect(groupWrites(writes.slice(1))).toMatchObject({
    count: 1,
    batch: { hardState: vote(3, null), snapshot: { meta: snapshot.meta }, entries: [] },
  });
  expect(groupWrites(writes.slice(2))).toMatchObject({ count: 1 });
});

test('pieces of a snapshot that is not complete write nothing', () => {
  expect(groupWrites([write({}), write({})])).toEqual({ count: 2, batch: null });
});
