import { expect, test } from 'vitest';
import type { ReplicaAssignment } from '../../../src/controller/manual-assignment.ts';
import { newTopic, partitionsOf, started, told } from './started-controller.ts';

/** Asks for a topic with these replicas, from partition 0 on or as numbered. */
async function asking() {
  const { controller } = await started(3);
  const ask = async (
    replicas: readonly (readonly number[])[] | readonly ReplicaAssignment[],
    more: Parameters<typeof newTopic>[1] = {},
  ) => {
    const replicaAssignments = replicas.map((each, partition) =>
      'partition' in each ? each : { partition, replicas: each },
    );
    const topic = newTopic('orders', { replicaAssignments, ...more });
    return await controller.createTopics([topic]);
  };
  const refused = async (...given: Parameters<typeof ask>) => told(await ask(...given))[0];
  return { controller, ask, refused };
}

test('replicas are where the request places them, in whatever order it does', async () => {
  const { controller, ask } = await asking();
  const [created] = await ask([
    { partition: 1, replicas: [2] },
    { partition: 0, replicas: [3] },
  ]);
  expect(created).toMatchObject({ partitionCount: 2, replicationFactor: 1 });
  expect(partitionsOf(controller.image, 'orders')).toEqual(['3@0 of 3', '2@0 of 2']);
});

test('no assignments at all mean that replicas are placed by rule', async () => {
  const { ask } = await asking();
  expect(await ask([])).toMatchObject([{ partitionCount: 2, replicationFactor: 1 }]);
});

test('who assigns replicas gives no counts beside them', async () => {
  const { refused } = await asking();
  const wrong = 'orders INVALID_REQUEST: topic "orders" has its replicas assigned, so give -1';
  expect(await refused([[1]], { partitionCount: 1 })).toContain(wrong);
  expect(await refused([[1]], { replicationFactor: 1 })).toContain(wrong);
});

test('assignments that cannot be are refused, each with what is wrong', async () => {
  const { controller, refused } = await asking();
  const wrong = 'orders INVALID_REPLICA_ASSIGNMENT: ';
  const one = { partition: 0, replicas: [1] };
  expect(await refused([one, one])).toBe(`${wrong}partition 0 is assigned twice`);
  const gap = `${wrong}partition 1 is not assigned; partitions are numbered from 0 without gaps`;
  expect(await refused([one, { partition: 2, replicas: [1] }])).toBe(gap);
  expect(await refused([one, { partition: -1, replicas: [1] }])).toBe(gap);
  expect(await refused([[1], []])).toBe(
    `${wrong}a partition is assigned no replica, give one or more`,
  );
  expect(await refused([[]])).toContain('no replica');
  expect(await refused([[1, 4]])).toBe(`${wrong}replicas [1,4]: there is no broker 4`);
  expect(await refused([[Number.NaN]])).toContain('there is no broker NaN');
  expect(await refused([[2, 2]])).toBe(
    `${wrong}replicas [2,2]: a broker can hold one replica of a partition`,
  );
  expect(await refused([[1, 2], [3]])).toBe(`${wrong}replicas [3] are 1, other partitions have 2`);
  expect(await refused([[1, 2]])).toBe(
    'orders INVALID_REPLICATION_FACTOR: topic "orders" cannot have replication factor 2: this version does not replicate yet; give 1',
  );
  const many = Array.from({ length: 9001 }, () => [1]);
  expect(await refused(many)).toContain('INVALID_PARTITIONS');
  expect((await refused([Array.from({ length: 9001 }, () => 1)]))!.length).toBeLessThan(300);
  expect(controller.image.topics.size).toBe(0);
});
