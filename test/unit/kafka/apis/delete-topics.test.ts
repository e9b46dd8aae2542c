import { expect, test } from 'vitest';
import { topicByName } from '../../../../src/metadata/image.ts';
import { ConnectionWorld } from '../connection-world.ts';

const open = (settings: { [key: string]: string } = {}) =>
  ConnectionWorld.open(settings, async (world) => {
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) await world.createTopic(name);
  });

const NO_ID = new Uint8Array(16);

test('every version deletes by name', async () => {
  const world = await open();
  for (let version = 1; version <= 6; version++) {
    const name = 'abcdef'[version - 1]!;
    const answer = await world.ask('DeleteTopics', version, {
      topics: [{ name, topicId: NO_ID }],
      topicNames: [name],
      timeoutMs: 1000,
    });
    expect(answer['responses']).toMatchObject([{ name, errorCode: 0 }]);
    expect(topicByName(world.world.broker.image, name)).toBeUndefined();
  }
});

test('an id deletes the topic that has it, and an unknown one is told again without a name', async () => {
  const world = await open();
  const { topicId } = topicByName(world.world.broker.image, 'a')!;
  const id = new Uint8Array(Buffer.from(topicId, 'base64url'));
  const unknown = new Uint8Array(16).fill(7);
  const answer = await world.ask('DeleteTopics', 6, {
    topics: [
      { name: null, topicId: id },
      { name: null, topicId: unknown },
      { name: 'nowhere', topicId: NO_ID },
    ],
    topicNames: [],
    timeoutMs: 1000,
  });
  expect(answer['responses']).toMatchObject([
    { name: 'a', topicId: id, errorCode: 0, errorMessage: null },
    { name: null, topicId: unknown, errorCode: 100 },
    { name: 'nowhere', errorCode: 3 },
  ]);
  expect(world.world.broker.image.topics.size).toBe(5);
});

test('a name beside an id deletes nothing: they may be of two topics', async () => {
  const world = await open();
  const id = (name: string) => {
    const { topicId } = topicByName(world.world.broker.image, name)!;
    return new Uint8Array(Buffer.from(topicId, 'base64url'));
  };
  const topics = [
    { name: 'a', topicId: id('b') },
    { name: 'c', topicId: id('c') },
  ];
  const answer = await world.ask('DeleteTopics', 6, { topics, topicNames: [], timeoutMs: 1000 });
  expect(answer['responses']).toMatchObject(topics.map((each) => ({ ...each, errorCode: 42 })));
  expect(world.world.broker.image.topics.size).toBe(6);
});

test('where topics cannot be deleted each is refused by name', async () => {
  const world = await open({ 'delete.topic.enable': 'false' });
  const request = { topics: [], topicNames: ['a', 'b'], timeoutMs: 1000 };
  const answer = await world.ask('DeleteTopics', 5, request);
  expect(answer['responses']).toMatchObject([
    { name: 'a', errorCode: 73, errorMessage: expect.stringContaining('delete.topic.enable') },
    { name: 'b', errorCode: 73 },
  ]);
});
