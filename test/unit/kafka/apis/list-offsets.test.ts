import { expect, test } from 'vitest';
import { item } from '../../broker/broker-world.ts';
import { makeBatch } from '../../log/log-world.ts';
import { ConnectionWorld } from '../connection-world.ts';

async function open(): Promise<ConnectionWorld> {
  return await ConnectionWorld.open({ 'log.retention.ms': '-1' }, async (world) => {
    await world.createTopic('t');
    for (const timestampMs of [1000, 3000, 2000]) {
      await world.produce([item('t', 0, makeBatch({ timestampMs }))]);
    }
    // Its leader is in another epoch than the first.
    await world.crashAndStart();
  });
}

interface Answer {
  readonly topics: readonly { readonly partitions: readonly { errorCode: number }[] }[];
}

async function ask(world: ConnectionWorld, version: number, more: object) {
  const partition = { partitionIndex: 0, currentLeaderEpoch: -1, timestamp: -1, ...more };
  const answer = (await world.ask('ListOffsets', version, {
    replicaId: -1,
    isolationLevel: 0,
    topics: [{ name: 't', partitions: [partition] }],
    timeoutMs: 0,
  })) as unknown as Answer;
  return answer.topics[0]!.partitions[0]!;
}

test.each([
  ['the end', -1, 1, { offset: 3, timestamp: -1 }],
  ['the beginning', -2, 1, { offset: 0, timestamp: -1 }],
  ['the largest timestamp', -3, 7, { offset: 1, timestamp: 3000 }],
  ['the beginning on local disks', -4, 8, { offset: 0, timestamp: -1 }],
  ['the end of tiered storage', -5, 9, { offset: -1, timestamp: -1 }],
  ['a time before all', 0, 1, { offset: 0, timestamp: 1000 }],
  ['a time between', 1500, 1, { offset: 1, timestamp: 3000 }],
  ['a time after all', 3001, 1, { offset: -1, timestamp: -1 }],
])('%s is found in every version that knows it', async (_, timestamp, since, found) => {
  const world = await open();
  for (let version = 1; version <= 10; version++) {
    const answer = await ask(world, version, { timestamp });
    expect(answer).toMatchObject(version < since ? { errorCode: 35 } : { errorCode: 0, ...found });
  }
});

test.each([
  ['a time that means nothing', { timestamp: -7 }, 35],
  ['a partition that is not there', { partitionIndex: 1 }, 3],
  ['the tiered end of such a partition', { partitionIndex: 1, timestamp: -5 }, 3],
  ['a negative partition', { partitionIndex: -(2 ** 31) }, 3],
  ['an epoch that is over', { currentLeaderEpoch: 0 }, 74],
  ['an epoch to come', { currentLeaderEpoch: 99 }, 75],
])('%s is an error of its partition', async (_, more, errorCode) => {
  expect(await ask(await open(), 10, more)).toMatchObject({ errorCode, offset: -1 });
});

test('many partitions are answered in the order in which they were asked for', async () => {
  const world = await ConnectionWorld.open({}, async (each) => {
    await each.createTopic('t', 20);
    await each.createTopic('u', 2);
  });
  const partitions = Array.from({ length: 20 }, (_, at) => 19 - at).map((partitionIndex) => ({
    partitionIndex,
    currentLeaderEpoch: -1,
    timestamp: 5,
  }));
  const answer = await world.ask('ListOffsets', 5, {
    replicaId: -1,
    isolationLevel: 0,
    topics: [
      { name: 't', partitions },
      { name: 'u', partitions: partitions.slice(-2) },
    ],
    timeoutMs: 0,
  });
  const { topics } = answer as unknown as {
    topics: { name: string; partitions: { partitionIndex: number }[] }[];
  };
  expect(topics.map(({ name }) => name)).toEqual(['t', 'u']);
  expect(topics[0]!.partitions.map(({ partitionIndex }) => partitionIndex)).toEqual(
    partitions.map(({ partitionIndex }) => partitionIndex),
  );
});
