import { expect, test } from 'vitest';
import { crc32c } from '../../../src/codec/crc32c.ts';
import { memoryEnv } from '../../../src/env/memory-env.ts';
import { leaderEpoch, nodeId } from '../../../src/model/ids.ts';
import { DamagedMetadataError } from '../../../src/quorum/damaged-metadata-error.ts';
import { INITIAL_HARD_STATE, type StoredHardState } from '../../../src/quorum/hard-state.ts';
import { HardStateFile } from '../../../src/quorum/hard-state-file.ts';

const state = (n: number): StoredHardState => ({
  epoch: leaderEpoch(n),
  votedFor: n % 2 === 0 ? null : { id: nodeId(1), directoryId: 'the-directory' },
  batch: n * 3,
  last: { index: n * 10, epoch: leaderEpoch(n - 1) },
  changedFrom: n * 10 - 1,
});

async function created() {
  const { files } = memoryEnv();
  await files.makeDirectory('/data');
  const file = await HardStateFile.create(files, '/data', INITIAL_HARD_STATE);
  /** Overwrites bytes as a bad disk would. */
  const damage = async (position: number, bytes: Uint8Array) => {
    const raw = await files.open('/data/hard-state', 'write');
    await raw.write(position, [bytes]);
    await raw.close();
  };
  const reopened = async () => {
    const opened = await HardStateFile.open(files, '/data');
    await opened?.close();
    return opened?.state;
  };
  return { files, file, damage, reopened };
}

test('there is no state where there is no file', async () => {
  expect(await HardStateFile.open(memoryEnv().files, '/')).toBeUndefined();
});

test('a new file has the initial state', async () => {
  const { file, reopened } = await created();
  expect(file.state).toEqual(INITIAL_HARD_STATE);
  expect(await reopened()).toEqual(INITIAL_HARD_STATE);
});

test('the state that was written last is found', async () => {
  const { file, reopened } = await created();
  for (let n = 1; n < 6; n++) {
    await file.write(state(n));
    expect(file.state).toEqual(state(n));
    expect(await reopened()).toEqual(state(n));
  }
});

test('a slot that was torn leaves the state before it, and is written next', async () => {
  const { files, file, damage, reopened } = await created();
  for (let n = 1; n <= 4; n++) await file.write(state(n));
  await damage(10, Uint8Array.of(0xff)); // the fourth write went to the first slot
  expect(await reopened()).toEqual(state(3));
  const again = (await HardStateFile.open(files, '/data'))!;
  await again.write(state(5));
  await damage(4096 + 10, Uint8Array.of(0xff));
  expect(await reopened()).toEqual(state(5));
});

test('a file without a valid slot is damaged', async () => {
  const { file, damage, reopened } = await created();
  await file.write(state(1));
  await damage(0, new Uint8Array(80));
  await damage(4096, new Uint8Array(80));
  await expect(reopened()).rejects.toThrow(DamagedMetadataError);
  await expect(reopened()).rejects.toThrow('no slot of hard-state is valid');
});

test('a file that was cut short is damaged, or has what is left', async () => {
  const { files, file, reopened } = await created();
  await file.write(state(1));
  const raw = await files.open('/data/hard-state', 'write');
  await raw.truncate(4096 + 62);
  expect(await reopened()).toEqual(INITIAL_HARD_STATE);
  await raw.truncate(0);
  await expect(reopened()).rejects.toThrow(DamagedMetadataError);
});

test('a vote for the longest name of a directory fits into a slot', async () => {
  const { file, reopened } = await created();
  const longest = {
    ...state(1),
    votedFor: { id: nodeId(2 ** 31 - 1), directoryId: 'x'.repeat(255) },
  };
  await file.write(longest);
  expect(await reopened()).toEqual(longest);
});

test('a slot of the time before Raft is read: its last index numbers the batch', async () => {
  const { damage, reopened } = await created();
  // Epoch 5, vote for node 1, committed and stored up to 9; its sequence is 8.
  const nine = '0000000000000009';
  const slot = ['0000000000000008', '00000005', '00000001', nine, nine].join('');
  const body = Buffer.from(slot, 'hex');
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32c(body));
  await damage(4096, Buffer.concat([checksum, body]));
  expect(await reopened()).toEqual({
    epoch: 5,
    votedFor: { id: 1, directoryId: '' },
    batch: 9,
    last: { index: 9, epoch: 5 },
    changedFrom: 10,
  });
});
