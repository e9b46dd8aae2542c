import { expect, test } from 'vitest';
import { makeBatch } from '../../log/log-world.ts';
import { ConnectionWorld } from '../connection-world.ts';

const open = () =>
  ConnectionWorld.open({}, async (world) => {
    await world.createTopic('a', 2);
    await world.createTopic('b');
  });

interface LogDir {
  readonly topics: readonly {
    readonly name: string;
    readonly partitions: readonly { partitionIndex: number; partitionSize: number }[];
  }[];
}

test('every version tells how large each partition is', async () => {
  const world = await open();
  const batch = makeBatch({ valueBytes: 500 });
  const size = batch.length;
  const topicData = [{ name: 'a', partitionData: [{ index: 1, records: [batch] }] }];
  const given = { transactionalId: null, acks: -1, timeoutMs: 1000, topicData };
  await world.ask('Produce', 8, given);
  for (let version = 1; version <= 4; version++) {
    const answer = await world.ask('DescribeLogDirs', version, { topics: null });
    const [dir] = answer['results'] as LogDir[];
    expect(dir!.topics.toSorted((one, other) => (one.name < other.name ? -1 : 1))).toMatchObject([
      {
        name: 'a',
        partitions: [
          { partitionIndex: 0, partitionSize: 0 },
          { partitionIndex: 1, partitionSize: size },
        ],
      },
      { name: 'b', partitions: [{ partitionIndex: 0, partitionSize: 0 }] },
    ]);
  }
});

test('only what is asked for is told', async () => {
  const world = await open();
  const topics = [
    { topic: 'a', partitions: [1, 1, 9] },
    { topic: 'nowhere', partitions: [0] },
    { topic: 'a', partitions: [] },
  ];
  const answer = await world.ask('DescribeLogDirs', 4, { topics });
  const [dir] = answer['results'] as LogDir[];
  expect(dir!.topics).toMatchObject([{ name: 'a', partitions: [{ partitionIndex: 1 }] }]);
});
