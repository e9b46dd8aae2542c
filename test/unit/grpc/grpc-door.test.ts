import { expect, test } from 'vitest';
import { adminMethods } from '../../../src/rpc/admin-service.ts';
import { call } from '../../../src/rpc/method.ts';
import { BrokerWorld } from '../broker/broker-world.ts';
import { makeBatch } from '../log/log-world.ts';
import { DoorWorld } from './door-world.ts';

const patient = { timeoutMs: 60_000 };

/** A broker that has been started again and is not registered yet. */
async function beforeService(): Promise<{ world: BrokerWorld; door: DoorWorld }> {
  const world = await BrokerWorld.open();
  await world.createTopic('t');
  world.machine.crash('process');
  world.machine.restart();
  await world.load();
  const door = new DoorWorld(world);
  await door.listen();
  return { world, door };
}

test('calls that come before the broker is in service wait for it', async () => {
  const { world, door } = await beforeService();
  const listed = call(door.channel, adminMethods.listTopics, {}, patient);
  await world.pass(100);
  await world.run(world.register());
  door.door.begin();
  const { topics } = await world.run(listed);
  expect(topics.map(({ name }) => name)).toEqual(['t']);
});

test('streams that come before the broker is in service are told to try again', async () => {
  const { door } = await beforeService();
  const producer = door.produce();
  producer.send({ 0: makeBatch() });
  await producer.received(2);
  expect(producer.answers).toEqual(['1: t-0 -1 LEADER_NOT_AVAILABLE']);
  const reader = door.fetch();
  reader.send({ 0: 0 });
  await reader.received(1);
  expect(reader.partitions[0]!.error).toMatchObject({ name: 'LEADER_NOT_AVAILABLE' });
});

test('after the stop all streams end, and calls and streams that still come are refused', async () => {
  const door = await DoorWorld.open();
  const early = [door.produce(), door.fetch()];
  await door.world.pass(10);
  door.door.stop();
  const late = [door.produce(), door.fetch()];
  for (const client of [...early, ...late]) {
    expect(await client.closed()).toMatch(/^BROKER_STOPPING/);
  }
  await expect(door.call(adminMethods.listTopics, {})).rejects.toThrow(
    'the broker is shutting down',
  );
});

test('a stop before the broker is in service refuses the calls that wait', async () => {
  const world = await BrokerWorld.open();
  const door = new DoorWorld(world);
  await door.listen();
  const listed = call(door.channel, adminMethods.listTopics, {}, patient);
  await world.pass(10);
  door.door.stop();
  await expect(world.run(listed)).rejects.toThrow('the broker is shutting down');
});

test('a second stop does nothing', async () => {
  const door = await DoorWorld.open();
  const client = door.produce();
  await client.received(1);
  door.door.stop();
  door.door.stop();
  expect(await client.closed()).toMatch(/^BROKER_STOPPING/);
  expect(door.unexpected).toEqual([]);
});
