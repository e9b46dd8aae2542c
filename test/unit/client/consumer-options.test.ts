import { expect, test } from 'vitest';
import {
  type ConsumerOptions,
  consumerSettings,
  startPosition,
} from '../../../src/client/consumer-options.ts';

const settings = (options: ConsumerOptions) => consumerSettings(options, { requestTimeoutMs: 7 });

test('what is not given has the documented default', () => {
  expect(settings({ topics: ['orders'] })).toEqual({
    subscription: new Map([['orders', undefined]]),
    from: 'latest',
    untilEnd: false,
    prefetchBytes: 8 * 1024 * 1024,
    readCommitted: false,
    onOutOfRange: 'error',
    checkCrcs: true,
    maxDecompressedBytes: 64 * 1024 * 1024,
    requestTimeoutMs: 7,
  });
});

test('topics and single partitions can be mixed, and what is named twice is read once', () => {
  const { subscription } = settings({
    topics: [
      { topic: 'a', partition: 1 },
      { topic: 'a', partition: 0 },
      { topic: 'a', partition: 1 },
      'b',
      { topic: 'b', partition: 3 },
      { topic: 'c', partition: 3 },
      'c',
    ],
  });
  expect([...subscription]).toEqual([
    ['a', [1, 0]],
    ['b', undefined],
    ['c', undefined],
  ]);
});

test.each([
  [{ topics: [] }, 'option `topics` is empty'],
  [{ topics: 'orders' }, 'option `topics` is empty'],
  [{ topics: [''] }, 'a topic is named by a text'],
  [{ topics: ['a'], from: 'start' }, "from must be one of 'earliest', 'latest'"],
  [{ topics: ['a'], from: { offset: -1 } }, 'an offset to read from must be a whole number'],
  [{ topics: ['a'], until: 'noon' }, "until must be one of 'end'"],
  [{ topics: ['a'], isolation: 'some' }, 'isolation must be one of'],
  [{ topics: ['a'], onOutOfRange: 'none' }, 'onOutOfRange must be one of'],
  [{ topics: ['a'], prefetchBytes: 0 }, 'prefetchBytes must be a whole number from 1 on'],
] as unknown as [ConsumerOptions, string][])(
  '%j is refused with what is right',
  (options, text) => {
    expect(() => settings(options)).toThrow(text);
  },
);

test('a position is one of four things', () => {
  expect(startPosition({ offset: 3 })).toEqual({ offset: 3 });
  expect(startPosition({ timestampMs: 3 })).toEqual({ timestampMs: 3 });
  expect(() => startPosition({} as never)).toThrow("a position is 'earliest', 'latest'");
  expect(() => startPosition(null as never)).toThrow("a position is 'earliest', 'latest'");
});
