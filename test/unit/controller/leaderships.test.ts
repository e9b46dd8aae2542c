import { expect, test } from 'vitest';
import {
  hasReplicas,
  resignLeaderships,
  takeLeaderships,
} from '../../../src/controller/leaderships.ts';
import { nodeId } from '../../../src/model/ids.ts';
import { ClusterMetadata } from '../../support/cluster-metadata.ts';

/** Brokers 1 to 4, of which 3 is fenced. */
function cluster(...partitions: number[][]): ClusterMetadata {
  const made = ClusterMetadata.formed();
  for (const id of [1, 2, 3, 4]) made.register(id, 'i', { isFenced: id === 3 });
  made.topic('t', ...partitions);
  return made;
}

test('the first replica in sync that is in service leads next', () => {
  const { image } = cluster([1, 3, 4, 2], [1, 3], [2, 1]);
  const records = resignLeaderships(image, new Set([nodeId(1)]));
  expect(records.map(({ index, leader, leaderEpoch }) => [index, leader, leaderEpoch])).toEqual([
    [0, 4, 1],
    [1, null, 1],
  ]);
  const records2 = resignLeaderships(image, new Set([nodeId(1), nodeId(4)]));
  expect(records2[0]).toMatchObject({ index: 0, leader: 2 });
});

test('a broker takes what nobody leads only if it is in sync', () => {
  const made = cluster([1, 2], [2]);
  made.write([
    ...resignLeaderships(made.image, new Set([nodeId(1), nodeId(2)])).map((record) => ({
      ...record,
      isr: record.isr.slice(0, 1),
    })),
  ]);
  expect(made.leaders).toEqual(['none@1', 'none@1']);
  expect(takeLeaderships(made.image, nodeId(2))).toMatchObject([
    { index: 1, leader: 2, leaderEpoch: 2, partitionEpoch: 2 },
  ]);
});

test('who holds a replica is known, leader or not', () => {
  const { image } = cluster([1, 2]);
  expect([1, 2, 4].map((id) => hasReplicas(image, nodeId(id)))).toEqual([true, true, false]);
});
