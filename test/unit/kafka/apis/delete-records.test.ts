import { expect, test } from 'vitest';
import { makeBatch } from '../../log/log-world.ts';
import { ConnectionWorld } from '../connection-world.ts';

test('records before an offset go; -1 stands for all of them, and beyond the end nothing is done', async () => {
  const world = await ConnectionWorld.open({}, (broker) => broker.createTopic('a', 2));
  for (let i = 0; i < 5; i++) {
    const topicData = [{ name: 'a', partitionData: [{ index: 0, records: [makeBatch()] }] }];
    await world.ask('Produce', 9, { transactionalId: null, acks: -1, timeoutMs: 1000, topicData });
  }
  const ask = async (version: number, ...offsets: number[]) => {
    const partitions = offsets.map((offset, partitionIndex) => ({ partitionIndex, offset }));
    const request = { topics: [{ name: 'a', partitions }], timeoutMs: 1000 };
    const answer = await world.ask('DeleteRecords', version, request);
    return (answer['topics'] as { partitions: object[] }[])[0]!.partitions;
  };
  expect(await ask(0, 2, 0, 0)).toEqual([
    { partitionIndex: 0, lowWatermark: 2, errorCode: 0 },
    { partitionIndex: 1, lowWatermark: 0, errorCode: 0 },
    { partitionIndex: 2, lowWatermark: -1, errorCode: 3 },
  ]);
  expect(await ask(1, 6)).toEqual([{ partitionIndex: 0, lowWatermark: -1, errorCode: 1 }]);
  expect(await ask(2, -1)).toEqual([{ partitionIndex: 0, lowWatermark: 5, errorCode: 0 }]);
});
