import { expect, test } from 'vitest';
import { topicByName } from '../../../src/metadata/image.ts';
import { leaderEpoch, NO_PRODUCER_ID, producerId } from '../../../src/model/ids.ts';
import { newTopic, partitionsOf, register, started } from './started-controller.ts';

test('metadata catch up with the epochs of logs, and never fall behind their own', async () => {
  const { controller } = await started();
  await controller.createTopics([newTopic('t', { partitionCount: 3, replicationFactor: 1 })]);
  await register(controller, 1, 'second');
  const { topicId } = topicByName(controller.image, 't')!;
  const epochs = [7, 0].map((epoch, partition) => ({
    ...{ topicId, partition, leaderEpoch: leaderEpoch(epoch) },
  }));
  await controller.adoptLogs({ epochs, largestProducerId: NO_PRODUCER_ID });
  expect(partitionsOf(controller.image, 't')).toEqual(['1@7 of 1', '1@1 of 1', '1@1 of 1']);
  await register(controller, 1, 'third');
  expect(partitionsOf(controller.image, 't')).toEqual(['1@8 of 1', '1@2 of 1', '1@2 of 1']);
});

test.for([
  [-1, 0],
  [0, 1000],
  [999, 1000],
  [1000, 2000],
])('after a log with producer %i the next new one has id %i', async ([known, next]) => {
  const { controller } = await started();
  const adopt = () => controller.adoptLogs({ epochs: [], largestProducerId: producerId(known!) });
  await adopt();
  await adopt();
  expect(await controller.allocateProducerIds(10)).toBe(next);
  // What was handed out since is not handed out again.
  await adopt();
  expect(await controller.allocateProducerIds(10)).toBe(next! + 10);
});
