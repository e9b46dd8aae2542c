import { expect, test } from 'vitest';
import { type ProducerOptions, producerSettings } from '../../../src/client/producer-options.ts';

const limits = { requestTimeoutMs: 30_000, maxBatchBytes: 16 * 1024 * 1024 };
const settings = (options: ProducerOptions) => producerSettings(options, limits);

test('what is not given has the documented default', () => {
  expect(settings({})).toEqual({
    lingerMs: 5,
    deliveryTimeoutMs: 120_000,
    requestTimeoutMs: 30_000,
    acks: 1,
    isIdempotent: true,
    compression: 0,
    batchBytes: 256 * 1024,
    mostBatchBytes: 1024 * 1024,
    bufferBytes: 32 * 1024 * 1024,
    maxInFlight: 5,
    messageBytes: 1024 * 1024,
  });
});

test('batches and messages are no larger than the broker takes', () => {
  const small = producerSettings({}, { ...limits, maxBatchBytes: 60_000 });
  expect([small.batchBytes, small.messageBytes]).toEqual([60_000, 60_000]);
  expect(small.mostBatchBytes).toBe(60_000);
});

test('a batch grows to four times its size, but not beyond 1 MiB, and never shrinks', () => {
  const most = (batchBytes: number) => settings({ batchBytes }).mostBatchBytes;
  expect([most(1024), most(500_000), most(3_000_000)]).toEqual([4096, 1024 * 1024, 3_000_000]);
});

test.each([
  [{ lingerMs: -1 }, 'lingerMs must be milliseconds from 0 on, not -1'],
  [{ deliveryTimeoutMs: 0 }, 'deliveryTimeoutMs must be milliseconds from 1 on'],
  [{ batchBytes: 1.5 }, 'batchBytes must be a whole number from 1024 on'],
  [{ compression: 'rar' }, "compression must be one of 'none', 'gzip'"],
  [{ acks: 0 }, "acks must be one of 'all', 'leader'"],
  [{ maxInFlight: 6 }, 'an idempotent producer can have 5 at most'],
] as unknown as [ProducerOptions, string][])(
  '%j is refused with what is right',
  (options, text) => {
    expect(() => settings(options)).toThrow(text);
  },
);

test('without idempotence more may be in flight', () => {
  expect(settings({ idempotent: false, maxInFlight: 50 }).maxInFlight).toBe(50);
});
