import { expect, test } from 'vitest';
import { topicByName } from '../../../src/metadata/image.ts';
import { BrokerWorld } from './broker-world.ts';

async function described(settings: { [key: string]: string }, configs: { [key: string]: string }) {
  const world = await BrokerWorld.open(settings);
  await world.createTopic('t', 1, configs);
  return world.broker.describeConfigs(topicByName(world.broker.image, 't')!);
}

test('every setting of a topic is told with its value in force and where that comes from', async () => {
  const entries = await described(
    { 'log.retention.bytes': '5MiB', 'log.segment.bytes': '1MiB' },
    { 'retention.ms': '60000', 'segment.bytes': '2MiB' },
  );
  const told = new Map(entries.map(({ name, value, source }) => [name, `${value} ${source}`]));
  expect(told.get('retention.ms')).toMatch(/ topic$/);
  expect(told.get('segment.bytes')).toMatch(/^(2097152|2MiB) topic$/);
  expect(told.get('retention.bytes')).toMatch(/^(5242880|5MiB) broker$/);
  expect(told.get('durability')).toBe('durable default');
});

test('settings are told in order of their names, each with its documentation', async () => {
  const entries = await described({}, {});
  const names = entries.map(({ name }) => name);
  expect(names).toEqual([...names].sort());
  expect(entries.every(({ documentation }) => documentation.endsWith('.'))).toBe(true);
});

test('a value that a topic has set for itself is its own, also if it is the default', async () => {
  const entries = await described({}, { durability: 'durable' });
  expect(entries.find(({ name }) => name === 'durability')).toMatchObject({ source: 'topic' });
});

test('all values that a setting has somewhere are told, the one in force first', async () => {
  const entries = await described({ 'log.retention.ms': '5d' }, { 'retention.ms': '60000' });
  const entryOf = (name: string) => entries.find((entry) => entry.name === name);
  expect(entryOf('retention.ms')).toMatchObject({
    value: '60000',
    type: 'LONG',
    synonyms: [
      { name: 'retention.ms', value: '60000', source: 'topic' },
      { name: 'log.retention.ms', value: '432000000', source: 'broker' },
      { name: 'log.retention.ms', value: '604800000', source: 'default' },
    ],
    isReadOnly: false,
    isSensitive: false,
  });
  expect(entryOf('max.message.bytes')).toMatchObject({
    type: 'INT',
    synonyms: [{ name: 'message.max.bytes', value: '1048588', source: 'default' }],
  });
  expect(entryOf('cleanup.policy')).toMatchObject({ type: 'LIST' });
  expect(entryOf('compression.type')).toMatchObject({ type: 'STRING' });
});
