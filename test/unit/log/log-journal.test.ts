import { expect, it } from 'vitest';
import { offset } from '../../../src/model/ids.ts';
import { LogWorld, makeBatch } from './log-world.ts';

async function journaling(): Promise<LogWorld> {
  const world = new LogWorld(1);
  world.config = { ...world.config, journalPartitionsMin: 1 };
  await world.start();
  return world;
}

const sizeOf = (world: LogWorld): Promise<number> => world.sizeOf('00000000000000000000.log');
const { length } = makeBatch();

it('the first batch of a segment goes into the file, those after it into the journal', async () => {
  const world = await journaling();
  await world.appendDurably(makeBatch());
  await world.appendDurably(makeBatch());
  expect(await sizeOf(world)).toBe(length);
  expect(world.log.durableOffset).toBe(2);
});

it('a log of a replicated topic does not use the journal', async () => {
  const world = await journaling();
  world.topicConfig = { ...world.topicConfig, durability: 'replicated' };
  await world.appendDurably(makeBatch());
  await world.appendDurably(makeBatch());
  expect(await sizeOf(world)).toBe(2 * length);
});

it('what follows bytes that are only written goes into the file with them', async () => {
  const world = await journaling();
  world.topicConfig = { ...world.topicConfig, durability: 'replicated' };
  await world.appendDurably(makeBatch());
  world.topicConfig = { ...world.topicConfig, durability: 'durable' };
  await world.appendDurably(makeBatch());
  expect(await sizeOf(world)).toBe(2 * length);
});

it('a segment that is closed is whole, and the next one begins with a file', async () => {
  const world = await journaling();
  await world.appendDurably(makeBatch());
  await world.appendDurably(makeBatch());
  world.log.roll();
  await world.appendDurably(makeBatch());
  expect(await sizeOf(world)).toBe(2 * length);
  expect(await world.sizeOf('00000000000000000002.log')).toBe(length);
});

it('what is cut is in the file before, and void in the journal', async () => {
  const world = await journaling();
  for (let tag = 0; tag < 3; tag++) await world.appendDurably(makeBatch({ tag }));
  await world.run(world.log.truncateTo(offset(1)));
  expect(await sizeOf(world)).toBe(length);
  await world.crashAndOpen('power');
  expect(world.log.logEndOffset).toBe(1);
});
