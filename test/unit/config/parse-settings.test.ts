import { expect, test } from 'vitest';
import {
  checkUnknown,
  nearestKey,
  parseSettings,
  settingKeys,
} from '../../../src/config/parse-settings.ts';
import { type SettingGroup, setting } from '../../../src/config/setting.ts';

interface LogConfig {
  readonly segmentBytes: number;
  readonly policy: readonly ('delete' | 'compact')[];
}

const logSettings: SettingGroup<LogConfig> = {
  segmentBytes: setting.bytes({ key: 'segment.bytes', default: 1024, min: 14, doc: '' }),
  policy: setting.list({
    key: 'cleanup.policy',
    default: ['delete'],
    values: ['delete', 'compact'],
    doc: '',
  }),
};

test('what is given is parsed and the rest has its default', () => {
  expect(parseSettings(logSettings, new Map([['segment.bytes', '2KiB']]))).toEqual({
    segmentBytes: 2048,
    policy: ['delete'],
  });
});

test('the values are frozen', () => {
  expect(Object.isFrozen(parseSettings(logSettings, new Map()))).toBe(true);
});

test('keys of other groups do not matter to a group', () => {
  expect(parseSettings(logSettings, new Map([['node.id', 'x']])).segmentBytes).toBe(1024);
});

test('an error names where the value was given', () => {
  const given = new Map([['segment.bytes', { text: '1', origin: 'varve.yaml:3:1' }]]);
  expect(() => parseSettings(logSettings, given)).toThrow(
    'varve.yaml:3:1: segment.bytes: "1" is not valid',
  );
});

test('the keys of a group stand in the order of their declaration', () => {
  expect(settingKeys(logSettings)).toEqual(['segment.bytes', 'cleanup.policy']);
});

test('a key that no group declares is refused with the nearest one', () => {
  expect(() => checkUnknown(new Map([['segment.byte', '1']]), [logSettings])).toThrow(
    'segment.byte: there is no such setting, did you mean segment.bytes',
  );
  const given = new Map([['node.id', { text: '1', origin: 'VARVE_NODE_ID' }]]);
  expect(() => checkUnknown(given, [logSettings])).toThrow(
    /^VARVE_NODE_ID: node.id: there is no such setting$/,
  );
});

test('keys that some group declares pass', () => {
  const other = { id: setting.int({ key: 'node.id', default: 0, doc: '' }) };
  const given = new Map([
    ['segment.bytes', '64'],
    ['node.id', '1'],
  ]);
  expect(() => checkUnknown(given, [logSettings, other])).not.toThrow();
});

test('the nearest key is the one with the fewest edits, if they are few', () => {
  const known = ['retention.ms', 'retention.bytes', 'segment.ms'];
  expect(nearestKey('retentoin.ms', known)).toBe('retention.ms');
  expect(nearestKey('retention.byte', known)).toBe('retention.bytes');
  expect(nearestKey('compression.type', known)).toBeUndefined();
  expect(nearestKey('', known)).toBeUndefined();
});

test('a huge key from outside is near to none', () => {
  expect(nearestKey('x'.repeat(10_000_000), ['retention.ms'])).toBeUndefined();
});
