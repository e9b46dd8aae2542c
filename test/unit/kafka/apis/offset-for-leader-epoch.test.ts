import { expect, test } from 'vitest';
import { makeBatch } from '../../log/log-world.ts';
import { ConnectionWorld } from '../connection-world.ts';

test('every version says where an epoch ends, and refuses who is of another one', async () => {
  const world = await ConnectionWorld.open({}, (broker) => broker.createTopic('a'));
  const topicData = [{ name: 'a', partitionData: [{ index: 0, records: [makeBatch()] }] }];
  await world.ask('Produce', 9, { transactionalId: null, acks: -1, timeoutMs: 1000, topicData });
  for (let version = 2; version <= 4; version++) {
    const question = (partition: number, currentLeaderEpoch: number, leaderEpoch: number) => ({
      partition,
      currentLeaderEpoch,
      leaderEpoch,
    });
    const partitions = [
      question(0, -1, 0),
      question(0, 0, 7),
      question(0, 9, 0),
      question(3, -1, 0),
    ];
    const topics = [{ topic: 'a', partitions }];
    const answer = await world.ask('OffsetForLeaderEpoch', version, { replicaId: -1, topics });
    expect(answer['topics']).toMatchObject([
      {
        topic: 'a',
        partitions: [
          { errorCode: 0, leaderEpoch: 0, endOffset: 1 },
          { errorCode: 0, leaderEpoch: -1, endOffset: -1 },
          { errorCode: 75, endOffset: -1 },
          { errorCode: 3, endOffset: -1 },
        ],
      },
    ]);
  }
});
