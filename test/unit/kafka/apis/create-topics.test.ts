import { expect, test } from 'vitest';
import type { Message } from '../../../support/kafka-messages.ts';
import { ConnectionWorld } from '../connection-world.ts';

const topic = (name: string, more: object = {}) => ({
  name,
  numPartitions: -1,
  replicationFactor: -1,
  assignments: [],
  configs: [],
  ...more,
});

const requestOf = (topics: readonly object[], validateOnly = false) => ({
  topics,
  timeoutMs: 1000,
  validateOnly,
});

interface Created {
  readonly name: string;
  readonly errorCode: number;
  readonly errorMessage: string | null;
  readonly topicId: Uint8Array;
  readonly numPartitions: number;
  readonly configs: readonly { readonly name: string; readonly value: string }[];
}

const createdBy = (answer: Message) => answer['topics'] as readonly Created[];
const codes = (answer: Message) => createdBy(answer).map(({ errorCode }) => errorCode);

test('every version makes topics, with settings, and tells the newer clients what they have become', async () => {
  const world = await ConnectionWorld.open();
  for (let version = 2; version <= 7; version++) {
    const configs = [{ name: 'retention.ms', value: '1000' }];
    const wanted = topic(`t${version}`, { numPartitions: 3, replicationFactor: 1, configs });
    const [created] = createdBy(await world.ask('CreateTopics', version, requestOf([wanted])));
    expect(created).toMatchObject({ name: `t${version}`, errorCode: 0, errorMessage: null });
    if (version >= 5) {
      expect(created!.numPartitions).toBe(3);
      expect(created!.configs).toContainEqual(
        expect.objectContaining({ name: 'retention.ms', value: '1000', configSource: 1 }),
      );
    }
    if (version >= 7) expect(created!.topicId.some((byte) => byte !== 0)).toBe(true);
  }
  expect(world.world.broker.image.topics.size).toBe(6);
});

test('a topic that cannot be made is refused by Kafka’s code, the others are made', async () => {
  const world = await ConnectionWorld.open();
  await world.ask('CreateTopics', 7, requestOf([topic('there')]));
  const answer = await world.ask(
    'CreateTopics',
    7,
    requestOf([
      topic('there'),
      topic('a/b'),
      topic('none', { numPartitions: 0 }),
      topic('many', { replicationFactor: 9 }),
      topic('odd', { configs: [{ name: 'no.such', value: '1' }] }),
      topic('empty', { configs: [{ name: 'retention.ms', value: null }] }),
      topic('by-hand', { assignments: [{ partitionIndex: 0, brokerIds: [7] }] }),
      topic('good', { assignments: [{ partitionIndex: 0, brokerIds: [1] }] }),
    ]),
  );
  expect(codes(answer)).toEqual([36, 17, 37, 38, 40, 40, 39, 0]);
  expect(createdBy(answer)[4]!.errorMessage).toContain('no.such');
  expect(world.world.broker.image.topics.size).toBe(2);
});

test('who only asks whether it could be done changes nothing', async () => {
  const world = await ConnectionWorld.open();
  const answer = await world.ask('CreateTopics', 7, requestOf([topic('maybe'), topic('..')], true));
  expect(codes(answer)).toEqual([0, 17]);
  expect(createdBy(answer)[0]!.configs).toEqual([]);
  expect(world.world.broker.image.topics.size).toBe(0);
});

test('a long name comes back in a message that an int16 can measure', async () => {
  const world = await ConnectionWorld.open();
  const name = 'x'.repeat(32_767);
  const [refused] = createdBy(await world.ask('CreateTopics', 2, requestOf([topic(name)])));
  expect(refused).toMatchObject({ name, errorCode: 17 });
});
