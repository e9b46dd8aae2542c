import { expect, test } from 'vitest';
import { topicByName } from '../../../../src/metadata/image.ts';
import { ConnectionWorld } from '../connection-world.ts';

const open = () => ConnectionWorld.open({}, (world) => world.createTopic('a'));

const requestOf = (
  configs: readonly (readonly [name: string, operation: number, value: string | null])[],
  validateOnly = false,
) => ({
  resources: [
    {
      resourceType: 2,
      resourceName: 'a',
      configs: configs.map(([name, configOperation, value]) => ({ name, configOperation, value })),
    },
  ],
  validateOnly,
});

test('both versions set, delete, append and subtract', async () => {
  const world = await open();
  const configs = () => Object.fromEntries(topicByName(world.world.broker.image, 'a')!.configs);
  for (const version of [0, 1]) {
    const set = requestOf([
      ['retention.ms', 0, '5000'],
      ['cleanup.policy', 2, 'delete'],
    ]);
    expect((await world.ask('IncrementalAlterConfigs', version, set))['responses']).toEqual([
      { errorCode: 0, errorMessage: null, resourceType: 2, resourceName: 'a' },
    ]);
    expect(configs()).toMatchObject({ 'retention.ms': '5000' });
    await world.ask('IncrementalAlterConfigs', version, requestOf([['retention.ms', 1, null]]));
    expect(configs()).not.toHaveProperty('retention.ms');
  }
});

test('an operation that there is not, and one that makes no sense, are refused', async () => {
  const world = await open();
  for (const [configs, code] of [
    [[['retention.ms', 4, '1']], 42],
    [[['retention.ms', -1, '1']], 42],
    [[['retention.ms', 2, '1']], 40],
    [[['no.such', 0, '1']], 40],
    [[['retention.ms', 0, 'soon']], 40],
  ] as const) {
    const answer = await world.ask('IncrementalAlterConfigs', 1, requestOf(configs));
    expect(answer['responses']).toMatchObject([
      { errorCode: code, errorMessage: expect.stringContaining(configs[0][0]) },
    ]);
  }
  expect(topicByName(world.world.broker.image, 'a')!.configs.size).toBe(0);
});

test('who only asks changes nothing', async () => {
  const world = await open();
  const request = requestOf([['retention.ms', 0, '5000']], true);
  expect((await world.ask('IncrementalAlterConfigs', 1, request))['responses']).toMatchObject([
    { errorCode: 0 },
  ]);
  expect(topicByName(world.world.broker.image, 'a')!.configs.size).toBe(0);
});
