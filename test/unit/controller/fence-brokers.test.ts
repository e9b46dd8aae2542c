import { expect, test } from 'vitest';
import { ClusterMetadata } from '../../support/cluster-metadata.ts';

function threeBrokers(): ClusterMetadata {
  const cluster = ClusterMetadata.formed();
  for (const id of [1, 2, 3]) cluster.register(id, 'i');
  return cluster;
}

test('a partition whose only replica is fenced has no leader, and the same one again afterwards', () => {
  const cluster = threeBrokers();
  cluster.topic('t', [1], [2], [1]);
  const before = cluster.image;
  expect(cluster.fence(1)).toEqual([1]);
  expect(cluster.image.position).toBe(before.position + 1);
  expect(cluster.leaders).toEqual(['none@1', '2@0', 'none@1']);
  const [partition] = [...cluster.image.topics.values()][0]!.partitions;
  expect(partition).toMatchObject({ isr: [1], partitionEpoch: 1 });
  cluster.heartbeat(1);
  expect(cluster.leaders).toEqual(['1@2', '2@0', '1@2']);
});

test('brokers that are fenced together do not hand over to each other', () => {
  const cluster = threeBrokers();
  cluster.topic('t', [1, 2, 3], [2, 1], [3, 1]);
  expect(cluster.fence(1, 2, 1)).toEqual([1, 2]);
  expect(cluster.leaders).toEqual(['3@1', 'none@1', '3@0']);
});

test('who is unknown, or fenced already, is passed over', () => {
  const cluster = threeBrokers();
  cluster.fence(2);
  const { image } = cluster;
  expect(cluster.fence(2, 9)).toEqual([]);
  expect(cluster.fence()).toEqual([]);
  expect(cluster.image).toBe(image);
});
