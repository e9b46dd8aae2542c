import { expect, test } from 'vitest';
import { topicByName } from '../../../src/metadata/image.ts';
import { Errors } from '../../../src/model/errors.ts';
import { nodeId } from '../../../src/model/ids.ts';
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

test('a registration that cannot be right is refused', async () => {
  const { controller } = await started();
  const right = {
    nodeId: nodeId(2),
    incarnationId: 'i',
    directoryId: 'd',
    host: 'h',
    port: 1,
    rack: '',
  };
  const cases: [object, string][] = [
    [{ host: '' }, 'broker 2 cannot register: its host is empty'],
    [{ port: 0 }, 'broker 2 cannot register: its port is 0, give from 1 to 65535'],
    [{ port: 65_536 }, 'its port is 65536'],
    [{ rack: '\ud800' }, 'a text of it is not Unicode'],
  ];
  for (const [wrong, message] of cases) {
    await expect(controller.registerBroker({ ...right, ...wrong })).rejects.toThrow(message);
  }
});
