import { expect, test } from 'vitest';
import { emptyImage, type MetadataImage, replay } from '../../../src/metadata/image.ts';
import { changedTopics } from '../../../src/metadata/image-delta.ts';
import type { MetadataRecord } from '../../../src/metadata/metadata-records.ts';
import { leaderEpoch, nodeId, producerId, type TopicId, topicId } from '../../../src/model/ids.ts';

const id = (n: number) => topicId(String(n).padStart(22, 'x'));
const add = (image: MetadataImage, ...records: MetadataRecord[]) =>
  records.reduce((next, record) => replay(next, record, next.position), image);

const topic = (of: TopicId, name: string, partitions: number): MetadataRecord[] => [
  { type: 'topic', topicId: of, name },
  ...Array.from(
    { length: partitions },
    (_, index): MetadataRecord => ({
      type: 'partition',
      topicId: of,
      index,
      replicas: [nodeId(1)],
      isr: [nodeId(1)],
      leader: nodeId(1),
      leaderEpoch: leaderEpoch(0),
      partitionEpoch: 0,
    }),
  ),
];
const change = (of: TopicId, index: number): MetadataRecord => ({
  type: 'partition-change',
  topicId: of,
  index,
  isr: [nodeId(1)],
  leader: nodeId(1),
  leaderEpoch: leaderEpoch(1),
  partitionEpoch: 1,
});
/** What a list of changes says, in a line each. */
const told = (before: MetadataImage, after: MetadataImage) =>
  changedTopics(before, after).map(
    (each) =>
      `${each.before?.name ?? '-'} -> ${each.after?.name ?? '-'} [${each.partitions}]${each.configsChanged ? ' configs' : ''}`,
  );

const base = add(emptyImage, ...topic(id(1), 'a', 3), ...topic(id(2), 'b', 2));

test('images that differ in no topic have no changed topics', () => {
  expect(told(base, base)).toEqual([]);
  const next = add(base, { type: 'producer-ids', nextProducerId: producerId(5) });
  expect(told(base, next)).toEqual([]);
});

test('a changed partition is told by its index', () => {
  expect(told(base, add(base, change(id(1), 2), change(id(2), 0)))).toHaveLength(2);
  expect(told(base, add(base, change(id(1), 2), change(id(1), 0)))).toEqual(['a -> a [0,2]']);
});

test('a changed setting is told without partitions', () => {
  const config: MetadataRecord = { type: 'topic-config', topicId: id(2), key: 'k', value: 'v' };
  expect(told(base, add(base, config))).toEqual(['b -> b [] configs']);
});

test('a topic that was made anew is first gone and then there', () => {
  const after = add(base, { type: 'remove-topic', topicId: id(1) }, ...topic(id(3), 'a', 1));
  expect(told(base, after)).toEqual(['a -> - [0,1,2] configs', '- -> a [0] configs']);
});

test('from the empty image every topic is new', () => {
  expect(told(emptyImage, base).toSorted()).toEqual([
    '- -> a [0,1,2] configs',
    '- -> b [0,1] configs',
  ]);
});
