import { expect, test } from 'vitest';
import { describeBrokerConfigs, refuseBrokerConfigs } from '../../../src/broker/broker-configs.ts';
import { setting } from '../../../src/config/setting.ts';
import { settingValues } from '../../../src/config/setting-values.ts';
import { BrokerWorld } from './broker-world.ts';

test('every setting of the node is told with its value in force and where that comes from', async () => {
  const world = await BrokerWorld.open({ 'log.segment.bytes': '1MiB' });
  const entries = new Map(world.broker.describeBrokerConfigs().map((entry) => [entry.name, entry]));
  expect(entries.get('log.segment.bytes')).toMatchObject({
    value: '1048576',
    type: 'INT',
    source: 'broker',
    synonyms: [
      { name: 'log.segment.bytes', value: '1048576', source: 'broker' },
      { name: 'log.segment.bytes', value: '1073741824', source: 'default' },
    ],
    isReadOnly: true,
    isSensitive: false,
  });
  expect(entries.get('node.id')).toMatchObject({ value: '1', source: 'default' });
  expect(entries.get('delete.topic.enable')).toMatchObject({ value: 'true', type: 'BOOLEAN' });
  expect(entries.get('queued.max.request.bytes')).toMatchObject({ type: 'LONG' });
  const names = [...entries.keys()];
  expect(names).toEqual([...names].sort());
});

test('a secret is there, and its value is not', () => {
  const secret = setting.text({ key: 'a.password', default: 'x', doc: '', isSecret: true });
  const settings = settingValues([{ secret }], new Map([['a.password', 'hunter2']]));
  const [entry] = describeBrokerConfigs(settings);
  expect(entry).toMatchObject({ value: null, type: 'PASSWORD', isSensitive: true });
  expect(entry!.synonyms.map(({ value }) => value)).toEqual([null, null]);
});

test('changes are refused with where they belong', () => {
  expect(refuseBrokerConfigs()).toMatchObject({
    row: { name: 'INVALID_REQUEST' },
    detail: expect.stringContaining('from its file and command line'),
  });
});
