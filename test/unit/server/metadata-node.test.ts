import { expect, test } from 'vitest';
import { adminMethods } from '../../../src/rpc/admin-service.ts';
import { ServerCluster } from '../../support/server-cluster.ts';

test('three nodes are one cluster: each knows the topics that any of them was asked for', async () => {
  const cluster = await ServerCluster.started(1);
  for (const id of [1, 2, 3]) expect(await cluster.createTopic(id, `by-${id}`, 3)).toBe('ok');
  await cluster.pass(500);
  for (const id of [1, 2, 3]) {
    expect(await cluster.topics(id)).toEqual(['by-1', 'by-2', 'by-3']);
    expect((await cluster.leaders(id, 'by-2')).sort()).toEqual([1, 2, 3]);
  }
  const clusterIds = [...cluster.nodes.values()].map(({ server }) => server!.clusterId);
  expect(new Set(clusterIds).size).toBe(1);
  expect(cluster.errors).toEqual([]);
});

test('when the active controller dies another one goes on, and what was answered stays', async () => {
  const cluster = await ServerCluster.started(2);
  expect(await cluster.createTopic(1, 'before')).toBe('ok');
  const first = await cluster.controller(1);
  const others = [1, 2, 3].filter((id) => id !== first);
  cluster.crash(first);
  expect(await cluster.createTopic(others[0]!, 'after')).toBe('ok');
  expect(await cluster.createTopic(others[1]!, 'after')).toBe('TOPIC_ALREADY_EXISTS');
  expect(await cluster.topics(others[0]!)).toEqual(['after', 'before']);
  await cluster.run(cluster.start(first));
  await cluster.pass(500);
  expect(await cluster.topics(first)).toEqual(['after', 'before']);
});

test('a node that stops hands the metadata over: the next request does not wait for an election', async () => {
  const cluster = await ServerCluster.started(3);
  const first = await cluster.controller(1);
  const other = [1, 2, 3].find((id) => id !== first)!;
  await cluster.stop(first);
  expect(await cluster.controller(other)).not.toBe(first);
  const beganMs = cluster.scheduler.nowMs;
  expect(await cluster.createTopic(other, 't')).toBe('ok');
  expect(cluster.scheduler.nowMs - beganMs).toBeLessThan(300);
});

test('a broker that is dead leads nothing, and leads again when it is back', async () => {
  const cluster = await ServerCluster.started(4);
  expect(await cluster.createTopic(1, 't', 3)).toBe('ok');
  cluster.crash(3);
  await cluster.pass(15_000);
  expect((await cluster.leaders(1, 't')).sort()).toEqual([-1, 1, 2]);
  await cluster.run(cluster.start(3));
  await cluster.pass(500);
  expect((await cluster.leaders(1, 't')).sort()).toEqual([1, 2, 3]);
});

test('all may lose their power at once', async () => {
  const cluster = await ServerCluster.started(5);
  expect(await cluster.createTopic(2, 't', 3)).toBe('ok');
  for (const id of [1, 2, 3]) cluster.crash(id, 'power');
  await cluster.run(Promise.all([1, 2, 3].map((id) => cluster.start(id))));
  expect(await cluster.topics(3)).toEqual(['t']);
  expect((await cluster.leaders(3, 't')).sort()).toEqual([1, 2, 3]);
});

test('a replication factor above one is refused by name', async () => {
  const cluster = await ServerCluster.started(6);
  const topic = { name: 't', partitionCount: 1, replicationFactor: 3, configs: {} };
  const request = { topics: [topic], validateOnly: false };
  const { topics } = await cluster.call(2, adminMethods.createTopics, request);
  expect(topics[0]!.error?.name).toBe('INVALID_REPLICATION_FACTOR');
});

/** A cluster with a topic, its leader, and a voter that is to be taken out. */
async function withSurplusVoter(seed: number) {
  const cluster = await ServerCluster.started(seed);
  expect(await cluster.createTopic(1, 'before', 3)).toBe('ok');
  const leader = await cluster.controller(1);
  const surplus = [1, 2, 3].find((id) => id !== leader)!;
  const remove = () =>
    cluster.call(leader, adminMethods.removeVoter, { nodeId: surplus, force: false });
  const voters = async () => {
    const { members } = await cluster.call(leader, adminMethods.describeQuorum, {});
    return members.filter(({ voter }) => voter).map(({ nodeId }) => nodeId);
  };
  return { cluster, leader, surplus, remove, voters };
}

test('a voter that is taken out goes on as an observer', async () => {
  const { cluster, surplus, remove, voters } = await withSurplusVoter(7);
  await remove();
  await cluster.pass(5_000);
  expect(await cluster.createTopic(surplus, 'after')).toBe('ok');
  await cluster.pass(500);
  expect(await cluster.topics(surplus)).toEqual(['after', 'before']);
  expect(await voters()).not.toContain(surplus);
});

test('a voter that was taken out while it was down does not know, and starts as an observer', async () => {
  const { cluster, surplus, remove, voters } = await withSurplusVoter(8);
  cluster.crash(surplus);
  await remove();
  await cluster.run(cluster.start(surplus));
  await cluster.pass(500);
  expect((await cluster.leaders(surplus, 'before')).sort()).toEqual([1, 2, 3]);
  expect(await voters()).not.toContain(surplus);
});
