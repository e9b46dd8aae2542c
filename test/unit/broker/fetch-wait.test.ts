import { expect, test } from 'vitest';
import { FetchWait } from '../../../src/broker/fetch-wait.ts';
import { Errors } from '../../../src/model/errors.ts';
import { offset } from '../../../src/model/ids.ts';
import { makeBatch } from '../log/log-world.ts';
import { PartitionWorld } from '../replication/partition-world.ts';

const BATCH = makeBatch().length;

/** A wait at the end of a partition with one batch, and when it ended, in ms. */
async function waiting(missingBytes: number, waitMs = 1000) {
  const world = await PartitionWorld.open();
  world.append(makeBatch());
  await world.pass(10);
  const { scheduler, env } = world.logs.machine;
  const began = scheduler.nowMs;
  const end = { partition: world.partition, nextOffset: offset(1) };
  const wait = new FetchWait(env.timers, [end], missingBytes, waitMs);
  let endedMs = -1;
  void wait.ended.then(() => {
    endedMs = Math.round(scheduler.nowMs - began);
  });
  return { world, wait, ended: () => endedMs };
}

test('one batch is enough for who waits for a byte', async () => {
  const { world, ended } = await waiting(1);
  await world.pass(200);
  expect(ended()).toBe(-1);
  world.append(makeBatch());
  await world.pass(10);
  expect(ended()).toBeGreaterThanOrEqual(200);
});

test('batches are counted until there are enough of them', async () => {
  const { world, ended } = await waiting(3 * BATCH);
  for (let i = 0; i < 2; i++) {
    world.append(makeBatch());
    await world.pass(10);
    expect(ended()).toBe(-1);
  }
  world.append(makeBatch());
  await world.pass(10);
  expect(ended()).toBeGreaterThanOrEqual(20);
});

test('the wait ends when its time is over, and waits at no partition any more', async () => {
  const { world, ended } = await waiting(3 * BATCH);
  await world.pass(1010);
  expect(ended()).toBeGreaterThanOrEqual(1000);
  let reads = 0;
  world.partition.read = () => {
    reads++;
    return { ok: true, batches: [], bytes: 0, nextOffset: offset(1) };
  };
  world.append(makeBatch());
  await world.pass(10);
  expect(reads).toBe(0);
});

test('it ends when a partition is no longer served', async () => {
  const { world, ended } = await waiting(3 * BATCH);
  world.partition.resign(Errors.NOT_LEADER_OR_FOLLOWER);
  await world.pass(1);
  expect(ended()).toBe(0);
});

test('a count that cannot be made ends it: who reads next learns why', async () => {
  const { world, ended } = await waiting(3 * BATCH);
  world.partition.read = () => Promise.reject(new Error('a bug'));
  world.append(makeBatch());
  await world.pass(20);
  expect(ended()).toBeGreaterThanOrEqual(0);
});

test('it can be ended from outside, more than once', async () => {
  const { world, wait, ended } = await waiting(1);
  wait.stop();
  wait.stop();
  await world.pass(0);
  expect(ended()).toBe(0);
});
