import { expect, test } from 'vitest';
import { registerBroker } from '../../../src/controller/register-broker.ts';
import { topicByName } from '../../../src/metadata/image.ts';
import { Errors } from '../../../src/model/errors.ts';
import { type BrokerEpoch, NO_BROKER_EPOCH, nodeId } from '../../../src/model/ids.ts';
import { registrationOf } from '../../support/broker-registration.ts';
import { ClusterMetadata } from '../../support/cluster-metadata.ts';
import { newTopic, partitionsOf, register, started } from './started-controller.ts';

test('a broker that starts anew gets a higher epoch, and leads nothing under an old one', async () => {
  const { controller } = await started(2);
  await controller.createTopics([newTopic('t', { partitionCount: 4, replicationFactor: 1 })]);
  const ledBy = (id: number) =>
    partitionsOf(controller.image, 't')!.filter((line) => line.startsWith(`${id}@`));
  expect([ledBy(1), ledBy(2)]).toEqual([
    ['1@0 of 1', '1@0 of 1'],
    ['2@0 of 2', '2@0 of 2'],
  ]);
  const before = controller.image;
  const epoch = await register(controller, 1, 'second 1');
  expect(epoch).toBe(before.position);
  expect(epoch).toBeGreaterThan(before.brokers.get(nodeId(1))!.brokerEpoch);
  expect([ledBy(1), ledBy(2)]).toEqual([
    ['1@1 of 1', '1@1 of 1'],
    ['2@0 of 2', '2@0 of 2'],
  ]);
  // In one step: nobody sees the one without the other.
  expect(controller.image.position).toBe(before.position + 1);
});

test('a registration that is asked for again is answered the same', async () => {
  const { controller } = await started();
  const before = controller.image;
  const known = before.brokers.get(nodeId(1))!.brokerEpoch;
  expect(await register(controller, 1, 'first 1')).toBe(known);
  expect(controller.image).toBe(before);
});

test('a broker that has lost its data directory cannot take its own place', async () => {
  const { controller } = await started(2);
  // Broker 2 holds nothing yet.
  await controller.createTopics([newTopic('t', { partitionCount: 1, replicationFactor: 1 })]);
  const holder = topicByName(controller.image, 't')!.partitions[0]!.leader!;
  const other = 3 - holder;
  await register(controller, other, 'second', 'new directory');
  await expect(register(controller, holder, 'second', 'new directory')).rejects.toMatchObject({
    row: Errors.INVALID_REQUEST,
    message: `broker ${holder} has partitions in data directory d${holder} and comes with new directory${holder}: start it with the directory it had, or give the new one a node id of its own`,
  });
});

const listener = (name: string) => ({ name, host: 'h', port: 9092, securityProtocol: 'PLAINTEXT' });

test('a registration that cannot be right is refused', async () => {
  const { controller } = await started();
  const right = registrationOf(2, 'i');
  const cases: [object, string][] = [
    [{ host: '' }, 'broker 2 cannot register: its host is empty'],
    [{ port: 0 }, 'broker 2 cannot register: its port is 0, give from 1 to 65535'],
    [{ port: 65_536 }, 'its port is 65536'],
    [{ rack: '\ud800' }, 'a text of it is not Unicode'],
    [{ listeners: [listener('\ud800')] }, 'a text of it is not Unicode'],
    [{ listeners: [{ ...listener('A'), port: 0 }] }, 'its port is 0'],
    [{ listeners: [{ ...listener('A'), host: '' }] }, 'its host is empty'],
    [{ listeners: [listener('A'), listener('A')] }, 'it has two listeners of one name'],
    [
      { features: [{ name: 'f', min: 2, max: 1 }] },
      'broker 2 cannot register: it supports levels 2 to 1 of a feature',
    ],
  ];
  for (const [wrong, message] of cases) {
    await expect(controller.registerBroker({ ...right, ...wrong })).rejects.toThrow(message);
  }
});

test('a broker that registers fenced leads nothing before a heartbeat, and then under an epoch of its own', () => {
  const cluster = ClusterMetadata.formed();
  cluster.register(1, 'first');
  cluster.topic('t', [1], [1]);
  const { position } = cluster.image;
  cluster.register(1, 'second', { isFenced: true });
  expect(cluster.image.position).toBe(position + 1);
  expect(cluster.leaders).toEqual(['none@1', 'none@1']);
  // Once more: what nobody leads is left as it is.
  cluster.register(1, 'third', { isFenced: true });
  expect(cluster.leaders).toEqual(['none@1', 'none@1']);
  cluster.heartbeat(1);
  expect(cluster.leaders).toEqual(['1@2', '1@2']);
});

test('a broker that is alone takes what nobody leads as it registers', () => {
  const cluster = ClusterMetadata.formed();
  cluster.register(1, 'first');
  cluster.topic('t', [1]);
  cluster.fence(1);
  cluster.register(1, 'second');
  expect(cluster.leaders).toEqual(['1@2']);
});

test('who does not say whether it waits for a heartbeat waits if there are other brokers', () => {
  const cluster = ClusterMetadata.formed();
  const { isFenced: _, ...unsaid } = registrationOf(1, 'i');
  const register = (id: number, incarnationId: string) =>
    cluster.decide((image, position) =>
      registerBroker(
        image,
        position,
        { ...unsaid, nodeId: nodeId(id), directoryId: `d${id}`, incarnationId },
        false,
      ),
    );
  register(1, 'i');
  register(1, 'j');
  register(2, 'i');
  expect([1, 2].map((id) => cluster.broker(id).state)).toEqual(['unfenced', 'fenced']);
  register(1, 'k');
  expect(cluster.broker(1).state).toBe('fenced');
});

test('a second broker under the id of one that is alive is told of both', () => {
  const cluster = ClusterMetadata.formed();
  cluster.register(1, 'i', { directoryId: 'A' });
  const { image } = cluster;
  const other = { directoryId: 'B' };
  expect(() => cluster.register(1, 'j', other, true)).toThrow(
    expect.objectContaining({
      row: Errors.DUPLICATE_BROKER_REGISTRATION,
      message:
        'broker 1 is alive with data directory A, and another one comes under its id with B: give each a node id of its own',
    }),
  );
  expect(cluster.image).toBe(image);
  // The same directory is the same broker, started again at once.
  cluster.register(1, 'j', { directoryId: 'A' }, true);
  // And nobody is in the way once it is not heard of.
  cluster.register(1, 'k', other, false);
  expect(cluster.broker(1).directoryId).toBe('B');
});

test('an older copy of the disk of a broker is refused', () => {
  const cluster = ClusterMetadata.formed();
  const first = cluster.register(1, 'first', { isFenced: true });
  cluster.heartbeat(1);
  const register = (incarnation: string, previousBrokerEpoch: BrokerEpoch) =>
    cluster.register(1, incarnation, { isFenced: true, previousBrokerEpoch });
  // Killed before its registration was on its disk: it has not served in that epoch.
  const second = register('second', first);
  const third = register('third', first);
  cluster.heartbeat(1);
  const { image } = cluster;
  for (const epoch of [first, second, NO_BROKER_EPOCH]) {
    expect(() => register('fourth', epoch)).toThrow(
      `broker 1 comes with an older copy of data directory d1: it knows of broker epoch ${epoch}, and has served in epoch ${third}; start it with the directory as it was last`,
    );
  }
  expect(cluster.image).toBe(image);
  register('fourth', third);
  // Another directory without partitions is another broker, of which nothing is known.
  cluster.register(1, 'fifth', { directoryId: 'new', previousBrokerEpoch: NO_BROKER_EPOCH });
});
