import { expect, test } from 'vitest';
import { bucketsFor } from '../../../src/telemetry/metrics.ts';
import { noMetrics } from '../../../src/telemetry/no-metrics.ts';

test('buckets rise, and cover from 100 µs to 20 s and from one byte to 256 MiB', () => {
  for (const name of ['varve_a_seconds', 'varve_a_bytes']) {
    const buckets = bucketsFor(name);
    expect([...buckets].sort((a, b) => a - b)).toEqual(buckets);
  }
  expect(bucketsFor('varve_a_seconds').at(0)).toBe(0.0001);
  expect(bucketsFor('varve_a_seconds').at(-1)).toBeGreaterThan(20);
  expect(bucketsFor('varve_a_bytes').at(0)).toBe(1);
  expect(bucketsFor('varve_a_bytes').at(-1)).toBe(2 ** 28);
});

test('no metrics take everything, keep nothing and still check names', async () => {
  const counter = noMetrics.counter('varve_a_total', 'A.', ['topic']);
  counter.labels('a').add(1);
  counter.remove('a');
  noMetrics.gauge('varve_b', 'B.').labels().set(1);
  noMetrics.histogram('varve_c_seconds', 'C.').labels().observe(1);
  noMetrics.beforeExpose(() => expect.unreachable());
  expect(await noMetrics.expose()).toBe('');
  expect(() => noMetrics.counter('varve_a', 'A.')).toThrow('end in _total');
});
