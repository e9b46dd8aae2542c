import { expect, test } from 'vitest';
import {
  addItem,
  addKeyValue,
  brokerList,
  duration,
  someText,
  startPosition,
  wholeNumber,
} from '../../../src/cli/option-values.ts';

test('whole numbers have bounds', () => {
  const parse = wholeNumber(1, 10);
  expect(['1', '10', '007'].map(parse)).toEqual([1, 10, 7]);
  for (const text of ['0', '11', '-1', '1.5', '1e1', '', ' 1', 'one']) {
    expect(() => parse(text), text).toThrow('it must be a whole number from 1 to 10');
  }
});

test('key=value pairs add up, and the last of a key counts', () => {
  const first = addKeyValue('a=1', undefined);
  expect(addKeyValue('a=3', addKeyValue('b.c=x=y', first))).toEqual({ a: '3', 'b.c': 'x=y' });
  expect(addKeyValue('empty=', undefined)).toEqual({ empty: '' });
  for (const text of ['a', '=1', '']) {
    expect(() => addKeyValue(text, undefined), text).toThrow('it must be key=value');
  }
});

test('items add up', () => {
  expect(addItem('b', addItem('a', undefined))).toEqual(['a', 'b']);
});

test('durations have units', () => {
  expect(['120s', '5m', '250', '1ms'].map(duration)).toEqual([120_000, 300_000, 250, 1]);
  for (const text of ['0', '-1s', '5 minutes', '']) {
    expect(() => duration(text), text).toThrow('it must be a duration');
  }
});

test('brokers are HOST:PORT with commas between', () => {
  expect(brokerList('a:1, [::1]:9095')).toEqual(['a:1', '[::1]:9095']);
  for (const text of ['a', 'a:1,', 'a:70000', 'http://a:1', '']) {
    expect(() => brokerList(text), text).toThrow('is not HOST:PORT');
  }
});

test('a place to start is one of those there are', () => {
  expect(startPosition('42')).toEqual({ offset: 42 });
  expect(() => startPosition('first')).toThrow('it must be earliest, latest, an offset');
});

test('a text may have to be there', () => {
  expect(someText(' ')).toBe(' ');
  expect(() => someText('')).toThrow('it must not be empty');
});
