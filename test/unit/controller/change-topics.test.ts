import { expect, test } from 'vitest';
import { topicByName } from '../../../src/metadata/image.ts';
import { Errors } from '../../../src/model/errors.ts';
import { newTopic, partitionsOf, started, told } from './started-controller.ts';

test('a deleted topic is gone, its id is remembered, and its name is free', async () => {
  const { controller } = await started();
  const [old] = await controller.createTopics([newTopic('orders')]);
  expect(
    await controller.deleteTopics([
      { name: 'orders' },
      { name: 'nothing' },
      { name: 'twice' },
      { name: 'twice' },
    ]),
  ).toEqual([
    { name: 'orders', topicId: old!.topicId },
    {
      name: 'nothing',
      error: { row: Errors.UNKNOWN_TOPIC_OR_PARTITION, detail: 'there is no topic "nothing"' },
    },
    { name: 'twice', error: expect.objectContaining({ row: Errors.INVALID_REQUEST }) },
    { name: 'twice', error: expect.objectContaining({ row: Errors.INVALID_REQUEST }) },
  ]);
  expect(topicByName(controller.image, 'orders')).toBeUndefined();
  expect(controller.image.removedTopics.has(old!.topicId!)).toBe(true);
  const [anew] = await controller.createTopics([newTopic('orders')]);
  expect(anew!.topicId).not.toBe(old!.topicId);
});

test('a topic can be deleted by its id, which is never that of another of the same name', async () => {
  const { controller } = await started();
  const [old] = await controller.createTopics([newTopic('orders'), newTopic('other')]);
  const topicId = old!.topicId!;
  expect(await controller.deleteTopics([{ topicId }])).toEqual([{ name: 'orders', topicId }]);
  await controller.createTopics([newTopic('orders')]);
  expect(await controller.deleteTopics([{ topicId }])).toEqual([
    {
      name: '',
      topicId,
      error: { row: Errors.UNKNOWN_TOPIC_ID, detail: `there is no topic of id "${topicId}"` },
    },
  ]);
  expect(topicByName(controller.image, 'orders')).toBeDefined();
});

test('a topic that stands twice in a request, by whatever, is not deleted', async () => {
  const { controller } = await started();
  const [a, b] = await controller.createTopics([newTopic('a'), newTopic('b'), newTopic('c')]);
  const [idA, idB] = [a!.topicId!, b!.topicId!];
  const results = await controller.deleteTopics([
    { name: 'a' },
    { topicId: idA },
    { topicId: idB },
    { topicId: idB },
    { name: 'c', topicId: idB },
    { name: 'c' },
  ]);
  expect(results.map(({ error }) => error?.row.name)).toEqual([
    ...['INVALID_REQUEST', 'INVALID_REQUEST', 'INVALID_REQUEST', 'INVALID_REQUEST'],
    'INVALID_REQUEST',
    undefined,
  ]);
  expect(['a', 'b', 'c'].map((name) => topicByName(controller.image, name)?.name)).toEqual([
    'a',
    'b',
    undefined,
  ]);
});

test('more partitions can be placed by hand, all of them and with as many replicas', async () => {
  const { controller } = await started(3);
  await controller.createTopics([newTopic('orders', { partitionCount: 1, replicationFactor: 1 })]);
  const add = async (totalCount: number, replicaAssignments: number[][]) =>
    told(
      await controller.createPartitions([{ name: 'orders', totalCount, replicaAssignments }]),
    )[0];
  const refused = 'orders INVALID_REPLICA_ASSIGNMENT: ';
  expect(await add(3, [[1]])).toBe(
    `${refused}1 partitions have their replicas assigned, 2 are to be added`,
  );
  expect(await add(2, [])).toContain('0 partitions have their replicas assigned');
  expect(await add(2, [[1, 2]])).toBe(`${refused}replicas [1,2] are 2, other partitions have 1`);
  expect(await add(2, [[9]])).toBe(`${refused}replicas [9]: there is no broker 9`);
  expect(await add(1, [[1]])).toContain('INVALID_PARTITIONS');
  expect(await add(3, [[3], [2]])).toBe('orders ok');
  expect(partitionsOf(controller.image, 'orders')!.slice(1)).toEqual(['3@0 of 3', '2@0 of 2']);
});

test('more partitions go on where the topic ends, and leave the others alone', async () => {
  const { controller } = await started(3);
  await controller.createTopics([newTopic('orders', { partitionCount: 2, replicationFactor: 1 })]);
  const before = partitionsOf(controller.image, 'orders')!;
  const results = await controller.createPartitions([
    { name: 'orders', totalCount: 6 },
    { name: 'nothing', totalCount: 6 },
  ]);
  expect(told(results)).toEqual([
    'orders ok',
    'nothing UNKNOWN_TOPIC_OR_PARTITION: there is no topic "nothing"',
  ]);
  const after = partitionsOf(controller.image, 'orders')!;
  expect(after.slice(0, 2)).toEqual(before);
  expect(after.slice(3)).toEqual(after.slice(0, 3));
  expect(new Set(after.slice(0, 3)).size).toBe(3);
});

test('the number of partitions can only grow, up to the limit', async () => {
  const { controller } = await started();
  await controller.createTopics([newTopic('orders', { partitionCount: 3 })]);
  const ask = async (totalCount: number) =>
    told(await controller.createPartitions([{ name: 'orders', totalCount }]))[0];
  expect(await ask(3)).toBe(
    'orders INVALID_PARTITIONS: topic "orders" has 3 partitions, give more than that (3 were asked for)',
  );
  expect(await ask(2)).toContain('give more than that (2 were asked for)');
  expect(await ask(0)).toContain('cannot have 0 partitions');
  expect(await ask(9001)).toContain('cannot have 9001 partitions');
});

test('settings are set and unset one by one, and a topic with a fault is not changed at all', async () => {
  const { controller } = await started();
  await controller.createTopics([newTopic('a'), newTopic('b')]);
  const alter = async (name: string, set: Record<string, string>, unset: string[] = []) =>
    told(await controller.alterTopicConfigs([{ name, set, unset }]))[0];
  const configs = (name: string) =>
    Object.fromEntries(topicByName(controller.image, name)!.configs);

  expect(await alter('a', { 'retention.ms': '1s', 'min.insync.replicas': '2' })).toBe('a ok');
  expect(configs('a')).toEqual({ 'retention.ms': '1000', 'min.insync.replicas': '2' });
  expect(await alter('a', { 'retention.ms': '-1' }, ['min.insync.replicas'])).toBe('a ok');
  expect(configs('a')).toEqual({ 'retention.ms': '-1' });
  expect(await alter('a', { 'retention.ms': '5' }, ['min.insync.replica'])).toBe(
    'a INVALID_CONFIG: "min.insync.replica": a topic has no such setting, did you mean min.insync.replicas',
  );
  expect(await alter('a', { 'retention.ms': '5' }, ['retention.ms'])).toBe(
    'a INVALID_REQUEST: retention.ms: the request both sets and unsets it',
  );
  expect(await alter('c', {})).toBe('c UNKNOWN_TOPIC_OR_PARTITION: there is no topic "c"');
  expect(configs('a')).toEqual({ 'retention.ms': '-1' });
  expect(configs('b')).toEqual({});
});

test('settings that stay as they are make no change of the metadata', async () => {
  const { controller } = await started();
  await controller.createTopics([newTopic('a', { configs: { 'retention.ms': '1000' } })]);
  const before = controller.image;
  await controller.alterTopicConfigs([
    { name: 'a', set: { 'retention.ms': '1s' }, unset: ['min.insync.replicas'] },
  ]);
  expect(controller.image).toBe(before);
});
