import { expect, test } from 'vitest';
import { changedTopics } from '../../../src/metadata/image-delta.ts';
import { Errors } from '../../../src/model/errors.ts';
import { registrationOf } from '../../support/broker-registration.ts';
import { ControllerCluster } from '../../support/controller-cluster.ts';
import { newTopic, started, told } from './started-controller.ts';

test('a request that is only checked answers alike and changes nothing', async () => {
  const { controller } = await started();
  await controller.createTopics([newTopic('there')]);
  const before = controller.image;
  const results = await controller.createTopics([newTopic('there'), newTopic('new')], true);
  expect(told(results)).toEqual(['there TOPIC_ALREADY_EXISTS: topic "there" exists', 'new ok']);
  expect(results[1]).toEqual({ name: 'new', partitionCount: 2, replicationFactor: 1 });
  await controller.createPartitions([{ name: 'there', totalCount: 5 }], true);
  await controller.alterTopicConfigs(
    [{ name: 'there', set: { 'retention.ms': '5' }, unset: [] }],
    true,
  );
  expect(controller.image).toBe(before);
});

test('of two requests for one name that meet, one makes the topic', async () => {
  const { controller } = await started();
  const both = await Promise.all([
    controller.createTopics([newTopic('race')]),
    controller.createTopics([newTopic('race')]),
  ]);
  expect(told(both.flat())).toEqual(['race ok', 'race TOPIC_ALREADY_EXISTS: topic "race" exists']);
});

test('no producer id is handed out twice, also after a restart', async () => {
  const { env, quorum, controller } = await started();
  const blocks = await Promise.all(
    [10, 1, 5].map((count) => controller.allocateProducerIds(count)),
  );
  expect(blocks).toEqual([0, 10, 11]);
  await quorum.close();
  const again = await started(0, env);
  expect(await again.controller.allocateProducerIds(1000)).toBe(16);
});

test('after a restart the metadata is what it was, by way of snapshots', async () => {
  const first = await started(3);
  const { controller } = first;
  for (let i = 0; i < 20; i++) {
    await controller.createTopics([newTopic(`t${i}`, { configs: { 'retention.ms': `${i}` } })]);
    if (i % 3 === 0) await controller.deleteTopics([{ name: `t${i}` }]);
    if (i % 3 === 1) await controller.createPartitions([{ name: `t${i}`, totalCount: 3 + i }]);
  }
  await controller.allocateProducerIds(7);
  await first.quorum.close();
  const again = await started(0, first.env);
  const image = again.controller.image;
  expect(new Map(image.topics)).toEqual(new Map(controller.image.topics));
  expect(new Map(image.brokers)).toEqual(new Map(controller.image.brokers));
  expect([...image.removedTopics]).toEqual([...controller.image.removedTopics]);
  expect(image.nextProducerId).toBe(7);
  expect(image.position).toBe(controller.image.position);
  expect(image.cluster).toMatchObject({ clusterId: 'the-cluster', directoryId: 'the-directory' });
});

test('listeners see every committed image, and its difference', async () => {
  const { controller } = await started();
  const seen: string[] = [];
  const end = controller.onImage((before, after) => {
    const names = changedTopics(before, after).map(({ after: topic }) => topic?.name ?? '-');
    seen.push(`${names}`);
  });
  await controller.createTopics([newTopic('a')]);
  await controller.createPartitions([{ name: 'a', totalCount: 5 }]);
  await controller.deleteTopics([{ name: 'a' }]);
  end();
  await controller.createTopics([newTopic('b')]);
  expect(seen).toEqual(['a', 'a', '-']);
});

test('a controller that resigned refuses everything', async () => {
  const { controller } = await started();
  const before = controller.image;
  const uncommitted = controller.createTopics([newTopic('a')]);
  controller.replica.resign(new Error('no longer the leader'));
  await expect(uncommitted).rejects.toMatchObject({ row: Errors.REQUEST_TIMED_OUT });
  await expect(controller.deleteTopics([{ name: 'a' }])).rejects.toMatchObject({
    row: Errors.NOT_CONTROLLER,
  });
  expect(controller.image).toBe(before);
});

test('a controller whose quorum was closed says that it has stopped', async () => {
  const { controller, quorum } = await started();
  await quorum.close();
  await expect(controller.createTopics([newTopic('a')])).rejects.toMatchObject({
    row: Errors.NOT_CONTROLLER,
  });
});

test.for(['stops', 'has a disk that fails'])(
  'who waits for a majority when the active controller %s is told that the outcome is not known',
  async (how) => {
    const cluster = await ControllerCluster.started();
    const leader = cluster.active!;
    const { controller, quorum, machine } = leader;
    cluster.cutOff.add(leader.id);
    if (how !== 'stops') machine.disk.plan({ operation: 'syncStore', path: /./, code: 'EIO' });
    let outcome: unknown = 'none';
    controller.allocateProducerIds(10).catch((error: unknown) => {
      outcome = error;
    });
    if (how === 'stops') await cluster.run(quorum.close());
    // Sooner than it would notice that it has no majority.
    await cluster.pass(50);
    expect(outcome).toMatchObject({ row: Errors.REQUEST_TIMED_OUT });
    expect(controller.replica.runtime).toBeNull();
  },
);

// Seed 4825 of the raft suite: a topic that a new leader had made was said not to be there by the old one.
test('a leader that nobody hears refuses nothing: somebody else may have made what it does not know', async () => {
  const cluster = await ControllerCluster.started();
  const leader = cluster.active!;
  cluster.cutOff.add(leader.id);
  const { controller } = leader;
  const registered = { ...registrationOf(1, 'i'), host: '' };
  const asked = Promise.allSettled([
    controller.deleteTopics([{ name: 'unknown' }]),
    controller.createTopics([newTopic('new')], true),
    controller.registerBroker(registered),
  ]);
  for (const { status, ...outcome } of await cluster.run(asked)) {
    expect(status).toBe('rejected');
    expect(outcome).toMatchObject({ reason: { row: Errors.NOT_CONTROLLER } });
  }
});
