import { describe, expect, test } from 'vitest';
import {
  readConsumerPerformance,
  readEndToEndLatency,
  readProducerPerformance,
} from '../../../../bench/peers/kafka-output.ts';

// Captured from the tools of Kafka 4.3.1.
const producerLines = [
  'Reading payloads from: /tmp/payloads',
  'Number of records read: 20000',
  'Warmup first 1500000 records. Steady state results will print after the complete test summary.',
  '2684321 records sent, 536756.8 records/sec (51.19 MB/sec), 330.0 ms avg latency, 685.0 ms max latency.',
  '4000000 records sent, 536768.652711 records/sec (51.19 MB/sec), 345.90 ms avg latency, 685.00 ms max latency, 374 ms 50th, 564 ms 95th, 659 ms 99th, 681 ms 99.9th.',
  '2500000 steady state records sent, 561167.227834 records/sec (53.52 MB/sec), 381.32 ms avg latency, 551.00 ms max latency, 380 ms 50th, 518 ms 95th, 537 ms 99th, 546 ms 99.9th.',
];

const consumerLines = [
  'start.time, end.time, data.consumed.in.MB, MB.sec, data.consumed.in.nMsg, nMsg.sec, rebalance.time.ms, fetch.time.ms, fetch.MB.sec, fetch.nMsg.sec',
  '2026-11-21 09:39:51:524, 2026-11-21 09:39:55:281, 1367.1875, 363.9040, 1400000, 372637.7429, 353, 3404, 401.6415, 411280.8461',
];

const latencyLines = [
  'Topic "e" does not exist. Will create topic with 1 partition(s) and replication factor = 1',
  '0\t134.98460699999998',
  '1000\t1.089905',
  'Avg latency: 1.8267 ms',
  'Percentiles: 50th = 0, 99th = 10, 99.9th = 42',
];

describe("what Kafka's tools print", () => {
  test('the producer tool is quoted with its steady state', () => {
    expect(readProducerPerformance(producerLines)).toEqual({
      records: 2_500_000,
      recordsPerSecond: 561_167.227834,
    });
  });

  test('without a warm-up it is quoted with its whole run, not with a line of progress', () => {
    expect(readProducerPerformance(producerLines.slice(0, 5))).toEqual({
      records: 4_000_000,
      recordsPerSecond: 536_768.652711,
    });
    expect(() => readProducerPerformance(producerLines.slice(0, 4))).toThrow(/cannot read/);
  });

  test('the consumer tool is quoted without the time it took to join the group', () => {
    expect(readConsumerPerformance(consumerLines)).toEqual({
      records: 1_400_000,
      recordsPerSecond: 411_280.8461,
    });
  });

  test('the latency tool is quoted with its mean and its whole milliseconds, but not with 0', () => {
    expect(readEndToEndLatency(latencyLines)).toEqual({ mean: 1.8267, p99: 10, p999: 42 });
  });

  test.each([readProducerPerformance, readConsumerPerformance, readEndToEndLatency])(
    '%o refuses other output and shows its end',
    (read: (lines: string[]) => unknown) => {
      expect(() => read(['java.lang.OutOfMemoryError'])).toThrow(/cannot read.*OutOfMemoryError/);
    },
  );
});
