import { expect, test } from 'vitest';
import { memoryEnv } from '../../../src/env/memory-env.ts';
import { leaderEpoch, nodeId } from '../../../src/model/ids.ts';
import { DamagedMetadataError } from '../../../src/quorum/damaged-metadata-error.ts';
import { type HardState, INITIAL_HARD_STATE } from '../../../src/quorum/hard-state.ts';
import { HardStateFile } from '../../../src/quorum/hard-state-file.ts';

const state = (n: number): HardState => ({
  epoch: leaderEpoch(n),
  votedFor: n % 2 === 0 ? null : nodeId(1),
  commitIndex: n * 10,
  lastIndex: n * 10 + 1,
});

async function created() {
  const { files } = memoryEnv();
  await files.makeDirectory('/data');
  const file = await HardStateFile.create(files, '/data');
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
  await damage(0, new Uint8Array(36));
  await damage(4096, new Uint8Array(36));
  await expect(reopened()).rejects.toThrow(DamagedMetadataError);
  await expect(reopened()).rejects.toThrow('no slot of hard-state is valid');
});

test('a file that was cut short is damaged, or has what is left', async () => {
  const { files, file, reopened } = await created();
  await file.write(state(1));
  const raw = await files.open('/data/hard-state', 'write');
  await raw.truncate(4096 + 35);
  expect(await reopened()).toEqual(INITIAL_HARD_STATE);
  await raw.truncate(0);
  await expect(reopened()).rejects.toThrow(DamagedMetadataError);
});
