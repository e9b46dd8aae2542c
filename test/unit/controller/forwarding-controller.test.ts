import { expect, test } from 'vitest';
import { failure } from '../../support/api-failure.ts';
import { type ControllerNode, withBroker } from '../../support/controller-cluster.ts';
import { newTopic, told } from './started-controller.ts';

const topicsOf = ({ controller }: ControllerNode): string[] =>
  [...controller.image.topics.values()].map(({ name }) => name).toSorted();

test('a node that is not active has the active one do it, and answers in its words', async () => {
  const { cluster, other, leader } = await withBroker();
  const { forwarding } = other;
  const created = await cluster.run(forwarding.createTopics([newTopic('a'), newTopic('b d')]));
  expect(told(created)[0]).toBe('a ok');
  expect(told(created)[1]).toContain('b d INVALID_TOPIC_EXCEPTION');
  expect(topicsOf(leader)).toEqual(['a']);
  expect(await cluster.run(forwarding.allocateProducerIds(10))).toBe(0);
  const grown = await cluster.run(forwarding.createPartitions([{ name: 'a', totalCount: 3 }]));
  expect(told(grown)).toEqual(['a ok']);
  const altered = forwarding.alterTopicConfigs([{ name: 'a', set: { 'x.y': '1' }, unset: [] }]);
  expect(told(await cluster.run(altered))[0]).toContain('a INVALID_CONFIG');
  const position = await cluster.run(forwarding.currentPosition());
  expect(position).toBe(leader.controller.image.position);
  await cluster.until(() => other.controller.image.position >= position);
  const topicId = created[0]!.topicId!;
  expect(await cluster.run(forwarding.deleteTopics([{ topicId }]))).toEqual([
    { name: 'a', topicId },
  ]);
  expect(topicsOf(leader)).toEqual([]);
});

test('the active node does it itself, with no call', async () => {
  const { cluster, leader } = await withBroker();
  cluster.calls.length = 0;
  await cluster.run(leader.forwarding.createTopics([newTopic('a')]));
  expect(cluster.calls).toEqual([]);
  expect(topicsOf(leader)).toEqual(['a']);
});

test('a node that is asked and is not active refuses, and asks no further', async () => {
  const { cluster, other } = await withBroker();
  const refused = failure(other.controller.createTopics([newTopic('a')]));
  expect(await refused).toMatch(/^NOT_CONTROLLER: .*nothing was changed$/);
  expect(await failure(other.controller.currentPosition())).toMatch(/^NOT_CONTROLLER/);
  expect(await failure(other.admin.describe())).toMatch(/^NOT_CONTROLLER.*nothing was changed$/);
  expect(topicsOf(cluster.active!)).toEqual([]);
});
