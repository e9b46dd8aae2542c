import { expect, test } from 'vitest';
import { SettingError, setting } from '../../../src/config/setting.ts';

const segmentBytes = setting.bytes({
  key: 'segment.bytes',
  default: 1_073_741_824,
  min: 14,
  doc: 'Roll a segment at this size.',
});
const policy = setting.list({
  key: 'cleanup.policy',
  default: ['delete'],
  values: ['delete', 'compact'],
  min: 1,
  doc: 'What happens to old records.',
});

test('an int has 32 bits, a long 53', () => {
  const int = setting.int({ key: 'a', default: 1, doc: '' });
  const long = setting.long({ key: 'a', default: 1, doc: '' });
  expect(int.parse('2147483647')).toBe(2_147_483_647);
  expect(() => int.parse('2147483648')).toThrow(SettingError);
  expect(long.parse('2147483648')).toBe(2_147_483_648);
  expect(() => long.parse('9007199254740993')).toThrow(SettingError);
});

test('limits are inclusive, and the lower one is 0 unless declared', () => {
  const port = setting.int({ key: 'port', default: 9092, max: 65_535, doc: '' });
  expect(port.parse('0')).toBe(0);
  expect(port.parse('65535')).toBe(65_535);
  expect(() => port.parse('65536')).toThrow('give a whole number from 0 to 65535');
  expect(() => port.parse('-1')).toThrow(SettingError);
  expect(setting.ms({ key: 'retention.ms', default: -1, min: -1, doc: '' }).parse('-1')).toBe(-1);
});

test('the message of a bad value names key, value and what would be right', () => {
  expect(() => segmentBytes.parse('64MB')).toThrow(
    'segment.bytes: "64MB" is not valid, give a size in bytes from 14 B (units: B, KiB, MiB, GiB, TiB)',
  );
});

test('a long bad value is cut in the message', () => {
  expect(() => segmentBytes.parse('x'.repeat(100_000))).toThrow(/^.{0,300}$/);
});

test('a boolean is true or false and nothing else', () => {
  const flag = setting.boolean({ key: 'a', default: false, doc: '' });
  expect(flag.parse('true')).toBe(true);
  expect(flag.parse('false')).toBe(false);
  for (const text of ['', '1', 'yes', 'TRUE']) expect(() => flag.parse(text)).toThrow(SettingError);
});

test('a choice accepts its values only', () => {
  const acks = setting.oneOf({ key: 'acks', default: 'all', values: ['all', 'leader'], doc: '' });
  expect(acks.parse('leader')).toBe('leader');
  expect(() => acks.parse('none')).toThrow('give one of all, leader');
});

test('a text can be required to say something', () => {
  expect(setting.text({ key: 'rack', default: '', doc: '' }).parse('')).toBe('');
  const host = setting.text({ key: 'host', default: 'a', min: 1, doc: '' });
  expect(() => host.parse('  ')).toThrow('give at least 1 character');
});

test('a list is cut at commas, without blanks, empty items or repeats', () => {
  expect(policy.parse('compact, delete')).toEqual(['compact', 'delete']);
  for (const text of ['', 'delete,', 'delete,delete', 'drop']) {
    expect(() => policy.parse(text)).toThrow(SettingError);
  }
  expect(setting.list({ key: 'voters', default: [], doc: '' }).parse(' ')).toEqual([]);
});

test('what is formatted reads back as the same value', () => {
  expect(segmentBytes.parse(segmentBytes.format(67_108_864))).toBe(67_108_864);
  expect(policy.parse(policy.format(['compact', 'delete']))).toEqual(['compact', 'delete']);
});

test('a declaration with a default it would refuse, or an odd key, is a bug', () => {
  expect(() => setting.int({ key: 'a', default: -1, doc: '' })).toThrow('the default of a setting');
  expect(() => setting.int({ key: 'a_b', default: 1, doc: '' })).toThrow('the key of a setting');
  expect(() => setting.int({ key: 'A.b', default: 1, doc: '' })).toThrow('the key of a setting');
});

test('what a secret was given is not told when it is not valid', () => {
  const secret = setting.text({ key: 'a', default: 'four', min: 4, doc: '', isSecret: true });
  expect(() => secret.parse('abc')).toThrow('a: what was given is not valid, give at least 4');
});
