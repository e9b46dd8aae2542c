import { expect, test } from 'vitest';
import { fuzzKafkaLive } from './kafka-live.ts';

test('mutated requests of Kafka clients hurt neither the broker nor anybody else', async () => {
  const totals = await fuzzKafkaLive({ seed: 1, inputs: 3000 });
  expect(totals.violations).toEqual([]);
  expect(Math.min(...totals.bystanderRecords)).toBeGreaterThan(10);
  // Something got through, and something ended its connection.
  expect(totals.appended).toBeGreaterThan(0);
  expect(totals.ended['malformed request']).toBeGreaterThan(100);
});
