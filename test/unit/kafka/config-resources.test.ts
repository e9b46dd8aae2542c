import { expect, test } from 'vitest';
import { topicByName } from '../../../src/metadata/image.ts';
import { ConnectionWorld } from './connection-world.ts';

const open = () =>
  ConnectionWorld.open({}, async (world) => {
    await world.createTopic('a');
    await world.createTopic('b');
  });

const resource = (resourceType: number, resourceName: string, value = '1000') => ({
  resourceType,
  resourceName,
  configs: [{ name: 'retention.ms', value }],
});

test('resources are answered in order, whether they are topics, brokers or nothing', async () => {
  const world = await open();
  const own = String(world.world.broker.nodeId);
  for (let version = 0; version <= 2; version++) {
    const answer = await world.ask('AlterConfigs', version, {
      resources: [
        resource(16, 'client'),
        resource(2, 'a'),
        resource(4, own),
        resource(2, 'nowhere'),
        resource(4, '77'),
        resource(2, 'b', 'soon'),
      ],
      validateOnly: false,
    });
    expect(answer['responses']).toMatchObject([
      { resourceType: 16, resourceName: 'client', errorCode: 42 },
      { resourceType: 2, resourceName: 'a', errorCode: 0, errorMessage: null },
      { resourceName: own, errorCode: 42, errorMessage: expect.stringContaining('command line') },
      { resourceName: 'nowhere', errorCode: 3 },
      { resourceName: '77', errorCode: 42, errorMessage: expect.stringContaining('"77"') },
      { resourceName: 'b', errorCode: 40 },
    ]);
  }
});

test('what is not named goes back to its default', async () => {
  const world = await open();
  const alter = (configs: readonly object[]) =>
    world.ask('AlterConfigs', 2, {
      resources: [{ resourceType: 2, resourceName: 'a', configs }],
      validateOnly: false,
    });
  const configs = () => Object.fromEntries(topicByName(world.world.broker.image, 'a')!.configs);
  await alter([{ name: 'retention.ms', value: '1000' }]);
  await alter([{ name: 'retention.bytes', value: '2000' }]);
  expect(configs()).toEqual({ 'retention.bytes': '2000' });
});
