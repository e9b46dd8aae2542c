import { expect, test } from 'vitest';
import { producerId } from '../../../src/model/ids.ts';
import { makeBatch } from '../log/log-world.ts';
import { BrokerWorld, item } from './broker-world.ts';

test('who writes to a partition is told by its leader, also after a crash', async () => {
  const world = await BrokerWorld.open();
  await world.createTopic('t');
  const timestampMs = world.machine.env.clock.wallMs();
  const batch = (id: number, epoch: number, baseSequence: number) =>
    item(
      't',
      0,
      makeBatch({ count: 3, timestampMs, producer: { id: producerId(id), epoch, baseSequence } }),
    );
  for (const baseSequence of [0, 3]) await world.produce([batch(7, 0, baseSequence)]);
  await world.produce([batch(9, 4, 0)]);
  await world.produce([item('t', 0, makeBatch())]);
  const unknown = { coordinatorEpoch: -1, currentTxnStartOffset: -1 };
  const lastTimestampMs = timestampMs + 2;
  const expected = [
    { producerId: 7, producerEpoch: 0, lastSequence: 5, lastTimestampMs, ...unknown },
    { producerId: 9, producerEpoch: 4, lastSequence: 2, lastTimestampMs, ...unknown },
  ];
  expect(world.broker.describeProducers('t', 0)).toMatchObject({
    row: { name: 'NONE' },
    producers: expected,
  });
  await world.crashAndStart();
  expect(world.broker.describeProducers('t', 0).producers).toEqual(expected);
});

test('who is not the leader tells nothing', async () => {
  const world = await BrokerWorld.open();
  expect(world.broker.describeProducers('t', 0)).toMatchObject({
    row: { name: 'UNKNOWN_TOPIC_OR_PARTITION' },
    producers: [],
  });
  await world.createTopic('t');
  world.broker.stop();
  expect(world.broker.describeProducers('t', 0).row.name).toBe('NOT_LEADER_OR_FOLLOWER');
  const unregistered = new BrokerWorld();
  await unregistered.load();
  expect(unregistered.broker.describeProducers('t', 0).row.name).toBe('NOT_LEADER_OR_FOLLOWER');
});
