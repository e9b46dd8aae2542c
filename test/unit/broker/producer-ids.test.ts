import { expect, test } from 'vitest';
import { ProducerIds } from '../../../src/broker/producer-ids.ts';
import { type ProducerId, producerId } from '../../../src/model/ids.ts';
import { BrokerWorld } from './broker-world.ts';

/** A controller that gives out blocks, and counts them. */
function blocks() {
  let next = 0;
  const asked: number[] = [];
  const allocate = async (count: number): Promise<ProducerId> => {
    asked.push(count);
    const first = producerId(next);
    next += count;
    return first;
  };
  return { allocate, asked };
}

test('callers that meet share a block, and no id is given out twice', async () => {
  const { allocate, asked } = blocks();
  const ids = new ProducerIds(allocate);
  const given = await Promise.all(Array.from({ length: 2500 }, () => ids.next()));
  expect(new Set(given).size).toBe(2500);
  expect(asked).toEqual([1000, 1000, 1000]);
});

test('a block is used up before another is asked for', async () => {
  const { allocate, asked } = blocks();
  const ids = new ProducerIds(allocate);
  for (let i = 0; i < 1000; i++) expect(await ids.next()).toBe(i);
  expect(asked).toEqual([1000]);
  expect(await ids.next()).toBe(1000);
  expect(asked).toEqual([1000, 1000]);
});

test('all who wait for a block that cannot be had are told, and the next caller tries again', async () => {
  const { allocate } = blocks();
  let fails = true;
  const ids = new ProducerIds((count) => {
    if (fails) return Promise.reject(new Error('no controller'));
    return allocate(count);
  });
  const refused = await Promise.allSettled([ids.next(), ids.next()]);
  expect(refused.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  fails = false;
  expect(await ids.next()).toBe(0);
});

test('no id is given out twice, also after a crash', async () => {
  const world = await BrokerWorld.open();
  const before = await world.run(world.broker.allocateProducerId());
  await world.crashAndStart();
  expect(await world.run(world.broker.allocateProducerId())).toBeGreaterThan(before);
});
