import { expect, test } from 'vitest';
import { configTypeOf, configTypes } from '../../../src/broker/config-entry.ts';
import { setting } from '../../../src/config/setting.ts';

const key = 'a';
const doc = '';

test('settings have the types that Kafka would give them', () => {
  const types = [
    setting.int({ key, doc, default: 1 }),
    setting.long({ key, doc, default: 1 }),
    setting.bytes({ key, doc, default: 1, max: 2 ** 31 - 1 }),
    setting.bytes({ key, doc, default: 1 }),
    setting.ms({ key, doc, default: 1 }),
    setting.boolean({ key, doc, default: true }),
    setting.text({ key, doc, default: '' }),
    setting.text({ key, doc, default: '', isSecret: true }),
    setting.oneOf({ key, doc, default: 'x', values: ['x'] }),
    setting.list({ key, doc, default: [] }),
  ].map((declared) => configTypeOf(declared));
  expect(types.map((type) => `${type} ${configTypes[type]}`)).toEqual([
    ...['INT 3', 'LONG 5', 'INT 3', 'LONG 5', 'LONG 5', 'BOOLEAN 1'],
    ...['STRING 2', 'PASSWORD 9', 'STRING 2', 'LIST 7'],
  ]);
});
