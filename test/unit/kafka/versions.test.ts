import { expect, test } from 'vitest';
import { includes, NO_VERSIONS, versions } from '../../../src/kafka/versions.ts';

test('ranges are written as in the definitions of Kafka', () => {
  const told = (text: string) => [0, 3, 4, 11, 12].filter((one) => includes(versions(text), one));
  expect(told('3')).toEqual([3]);
  expect(told('3-11')).toEqual([3, 4, 11]);
  expect(told('4+')).toEqual([4, 11, 12]);
  expect(told('none')).toEqual([]);
  expect(versions('none')).toBe(NO_VERSIONS);
});

test('what is no range is refused', () => {
  for (const text of ['', '-1', '3-', '3..4', '3 - 4', 'all', '3+4']) {
    expect(() => versions(text)).toThrow(`"${text}" is no range of versions`);
  }
});
