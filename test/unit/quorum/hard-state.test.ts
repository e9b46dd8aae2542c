import { expect, test } from 'vitest';
import { ByteReader, CorruptError } from '../../../src/codec/reader.ts';
import { ByteWriter } from '../../../src/codec/writer.ts';
import { leaderEpoch, nodeId } from '../../../src/model/ids.ts';
import {
  INITIAL_HARD_STATE,
  isForOnlyVoter,
  readHardState,
  type StoredHardState,
  writeHardState,
} from '../../../src/quorum/hard-state.ts';

const state: StoredHardState = {
  epoch: leaderEpoch(5),
  votedFor: { id: nodeId(2), directoryId: 'dir' },
  batch: 9,
  last: { index: 7, epoch: leaderEpoch(4) },
  changedFrom: 6,
};
const written = (one: StoredHardState): Uint8Array => {
  const out = new ByteWriter();
  writeHardState(out, one);
  return out.toBytes();
};
const read = (hex: string): StoredHardState =>
  readHardState(new ByteReader(new Uint8Array(Buffer.from(hex, 'hex'))));

test('a hard state comes back from its bytes', () => {
  for (const one of [state, { ...state, votedFor: null }, INITIAL_HARD_STATE]) {
    expect(readHardState(new ByteReader(written(one)))).toEqual(one);
  }
});

test('the layout of a hard state does not change', () => {
  const numbers = ['fffffffe', '00000005', '0000000000000009', '0000000000000007', '00000004'];
  expect(Buffer.from(written(state)).toString('hex')).toBe(
    [...numbers, '0000000000000006', '00000002', '0003', '646972'].join(''),
  );
});

test('one of the time before Raft has as many batches as entries, and voted for itself', () => {
  const older = read(['00000005', '00000001', '0000000000000007', '0000000000000007'].join(''));
  expect(older).toMatchObject({ epoch: 5, batch: 7, last: { index: 7, epoch: 5 }, changedFrom: 8 });
  expect(isForOnlyVoter(older.votedFor)).toBe(true);
  expect(isForOnlyVoter(state.votedFor)).toBe(false);
  expect(isForOnlyVoter(null)).toBe(false);
  expect(read(`00000000${'ffffffff'}${'00'.repeat(16)}`).votedFor).toBeNull();
});

test('what is neither is refused', () => {
  expect(() => read('fffffffd')).toThrow('format -3 of the hard state is not known');
  expect(() => read('fffffffe00')).toThrow(CorruptError);
  const nameless = written({ ...state, votedFor: { id: nodeId(2), directoryId: '' } });
  expect(() => readHardState(new ByteReader(nameless))).toThrow('names no directory');
});
