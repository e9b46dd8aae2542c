import { expect, test } from 'vitest';
import {
  brokerEpoch,
  leaderEpoch,
  nodeId,
  offset,
  offsetAfter,
  partitionName,
  producerId,
  topicId,
} from '../../../src/model/ids.ts';

test('offsets are safe integers from 0', () => {
  expect(offset(Number.MAX_SAFE_INTEGER)).toBe(Number.MAX_SAFE_INTEGER);
  for (const bad of [-1, 0.5, 2 ** 53, Number.NaN]) expect(() => offset(bad)).toThrow();
  expect(() => offsetAfter(offset(Number.MAX_SAFE_INTEGER), 1)).toThrow();
});

test('epochs and producer ids begin at -1, which stands for none', () => {
  for (const make of [leaderEpoch, producerId, brokerEpoch]) {
    expect(make(-1)).toBe(-1);
    expect(() => make(-2)).toThrow();
    expect(() => make(1.5)).toThrow();
  }
  expect(() => nodeId(-1)).toThrow();
});

test('a topic id is 22 characters of base64url', () => {
  expect(topicId('AAAAAAAAAAAAAAAAAAAA_-')).toBe('AAAAAAAAAAAAAAAAAAAA_-');
  for (const bad of ['', 'A'.repeat(21), `${'A'.repeat(21)}+`])
    expect(() => topicId(bad)).toThrow();
});

test('a partition is named as its folder is', () => {
  expect(partitionName({ topic: 'a-b', partition: 3 })).toBe('a-b-3');
});
