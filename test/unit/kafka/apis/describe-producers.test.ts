import { expect, test } from 'vitest';
import { producerId } from '../../../../src/model/ids.ts';
import { makeBatch } from '../../log/log-world.ts';
import { ConnectionWorld } from '../connection-world.ts';

test('the producers of a partition are told once, and why others cannot be', async () => {
  const world = await ConnectionWorld.open({}, (broker) => broker.createTopic('a'));
  const producer = { id: producerId(12), epoch: 3, baseSequence: 0 };
  const topicData = [
    { name: 'a', partitionData: [{ index: 0, records: [makeBatch({ producer })] }] },
  ];
  await world.ask('Produce', 9, { transactionalId: null, acks: -1, timeoutMs: 1000, topicData });
  const topics = [{ name: 'a', partitionIndexes: [0, 0, 5] }];
  expect((await world.ask('DescribeProducers', 0, { topics }))['topics']).toMatchObject([
    {
      name: 'a',
      partitions: [
        {
          partitionIndex: 0,
          errorCode: 0,
          errorMessage: null,
          activeProducers: [{ producerId: 12, producerEpoch: 3, lastSequence: 0 }],
        },
        { partitionIndex: 5, errorCode: 3, activeProducers: [] },
      ],
    },
  ]);
});
