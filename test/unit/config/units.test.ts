import { expect, test } from 'vitest';
import {
  byteUnits,
  describeQuantity,
  noUnits,
  parseQuantity,
  timeUnits,
} from '../../../src/config/units.ts';

test('a number without a unit is in the smallest one', () => {
  expect(parseQuantity('1500', timeUnits)).toBe(1500);
  expect(parseQuantity(' 42 ', noUnits)).toBe(42);
  expect(parseQuantity('-1', byteUnits)).toBe(-1);
});

test('units multiply', () => {
  expect(parseQuantity('64MiB', byteUnits)).toBe(67_108_864);
  expect(parseQuantity('1 GiB', byteUnits)).toBe(1_073_741_824);
  expect(parseQuantity('7d', timeUnits)).toBe(604_800_000);
  expect(parseQuantity('5m', timeUnits)).toBe(300_000);
});

test.each([
  '',
  'x',
  '1.5s',
  '1e3',
  '0x10',
  '+1',
  '--1',
  '1 000',
  '64MB',
  '64mib',
  's',
  '30s 5ms',
  'NaN',
  'Infinity',
])('%j is no quantity', (text) => {
  expect(parseQuantity(text, byteUnits)).toBeUndefined();
  expect(parseQuantity(text, timeUnits)).toBeUndefined();
});

test('a number that JavaScript cannot hold exactly is refused, not rounded', () => {
  expect(parseQuantity('9007199254740991', noUnits)).toBe(9_007_199_254_740_991);
  expect(parseQuantity('9007199254740993', noUnits)).toBeUndefined();
  expect(parseQuantity('9007199254740991KiB', byteUnits)).toBeUndefined();
});

test('a description uses the largest unit that divides the value', () => {
  expect(describeQuantity(67_108_864, byteUnits)).toBe('64 MiB');
  expect(describeQuantity(1_048_577, byteUnits)).toBe('1048577 B');
  expect(describeQuantity(604_800_000, timeUnits)).toBe('7 d');
  expect(describeQuantity(1500, timeUnits)).toBe('1500 ms');
  expect(describeQuantity(-1, timeUnits)).toBe('-1');
  expect(describeQuantity(0, timeUnits)).toBe('0');
  expect(describeQuantity(5, noUnits)).toBe('5');
});
