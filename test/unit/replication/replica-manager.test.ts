import { expect, test } from 'vitest';
import { Errors } from '../../../src/model/errors.ts';
import { leaderEpoch, nodeId } from '../../../src/model/ids.ts';
import { ReplicaManager } from '../../../src/replication/replica-manager.ts';
import { makeBatch, orders } from '../log/log-world.ts';
import { PartitionWorld } from './partition-world.ts';

async function managed() {
  const world = await PartitionWorld.open();
  const { clock, timers } = world.logs.env;
  const replicas = new ReplicaManager(clock, timers);
  const add = (topic: string, index: number) => {
    const { directory, topicConfig } = world.logs;
    const log = directory.openLog({ topic, partition: index }, orders, topicConfig);
    const partition = replicas.add(log);
    partition.lead({ leaderEpoch: leaderEpoch(1), isr: [nodeId(1)], minInSync: 1 });
    return partition;
  };
  return { world, replicas, add };
}

test('partitions are found by topic and index, and nothing else is', async () => {
  const { replicas, add } = await managed();
  const third = add('t', 3);
  expect(replicas.partition('t', 3)).toBe(third);
  for (const index of [-1, 0, 4, 0.5, Number.NaN, 2 ** 31]) {
    expect(replicas.partition('t', index)).toBeUndefined();
  }
  expect(replicas.partition('u', 3)).toBeUndefined();
  add('u', 0);
  expect([...replicas.partitions()].map(({ topicPartition }) => topicPartition)).toEqual([
    { topic: 't', partition: 3 },
    { topic: 'u', partition: 0 },
  ]);
});

test('who waits beyond a deadline is told so, again and again', async () => {
  const { world, replicas, add } = await managed();
  const partition = add('t', 0);
  replicas.start();
  const { clock } = world.logs.env;
  for (const round of ['first', 'second']) {
    partition.whenSafe('all', world.waiter(round, 9, clock.monotonicMs() + 100));
    await world.untilTold();
  }
  expect(world.told).toEqual(['first REQUEST_TIMED_OUT', 'second REQUEST_TIMED_OUT']);
});

test('a removed topic is served no more, and who waits for it is told why', async () => {
  const { world, replicas, add } = await managed();
  const gone = add('gone', 0);
  const there = add('there', 0);
  gone.whenSafe('all', world.waiter('gone', 9));
  there.whenSafe('all', world.waiter('there', 9));
  replicas.removeTopic('gone', Errors.UNKNOWN_TOPIC_OR_PARTITION);
  expect(world.told).toEqual(['gone UNKNOWN_TOPIC_OR_PARTITION']);
  expect(replicas.partition('gone', 0)).toBeUndefined();
  expect(replicas.partition('there', 0)).toBe(there);
  replicas.removeTopic('never there', Errors.UNKNOWN_TOPIC_OR_PARTITION);
});

test('after a stop nothing is led and no deadline is watched', async () => {
  const { world, replicas, add } = await managed();
  const partition = add('t', 0);
  replicas.start();
  partition.whenSafe('all', world.waiter('waiting', 9));
  replicas.stop(Errors.NOT_LEADER_OR_FOLLOWER);
  expect(world.told).toEqual(['waiting NOT_LEADER_OR_FOLLOWER']);
  expect(partition.append(makeBatch(), 'client')).toMatchObject({ ok: false });
  expect(replicas.partition('t', 0)).toBeUndefined();
  await world.pass(2000);
  expect(world.told).toHaveLength(1);
});
