import { expect, test } from 'vitest';
import { PrometheusMetrics } from '../../../src/telemetry/prometheus-metrics.ts';

const make = () => new PrometheusMetrics({ processMetrics: false });

/** The sample lines of a metric, without its HELP and TYPE. */
const samples = async (metrics: PrometheusMetrics, name: string) =>
  (await metrics.expose()).split('\n').filter((line) => line.startsWith(name));

test('a counter sums what is added, by labels', async () => {
  const metrics = make();
  const family = metrics.counter('varve_log_appended_bytes_total', 'Bytes.', [
    'topic',
    'partition',
  ]);
  family.labels('a', '0').add(5);
  family.labels('a', '0').add(2);
  family.labels('b', '0').add(1);
  const expected = [
    'varve_log_appended_bytes_total{topic="a",partition="0"} 7',
    'varve_log_appended_bytes_total{topic="b",partition="0"} 1',
  ];
  expect(await samples(metrics, 'varve_log')).toEqual(expected);
  expect(await samples(metrics, 'varve_log')).toEqual(expected);
});

test('a metric without labels is there from its declaration', async () => {
  const metrics = make();
  const counter = metrics.counter('varve_a_total', 'A.').labels();
  metrics.gauge('varve_b', 'B.');
  expect(await samples(metrics, 'varve')).toEqual(['varve_a_total 0', 'varve_b 0']);
  counter.add(1);
  expect(await samples(metrics, 'varve_a')).toEqual(['varve_a_total 1']);
});

test('a gauge is set and moved', async () => {
  const metrics = make();
  const gauge = metrics.gauge('varve_broker_streams', 'Streams.').labels();
  gauge.set(5);
  gauge.add(-2);
  expect(await samples(metrics, 'varve_broker')).toEqual(['varve_broker_streams 3']);
});

test('a histogram has the buckets of its unit', async () => {
  const metrics = make();
  metrics
    .histogram('varve_flush_duration_seconds', 'Time.', ['kind'])
    .labels('fsync')
    .observe(0.0003);
  metrics.histogram('varve_flush_batch_bytes', 'Size.').labels().observe(100);
  const seconds = await samples(metrics, 'varve_flush_duration');
  expect(seconds).toContain('varve_flush_duration_seconds_bucket{le="0.0002",kind="fsync"} 0');
  expect(seconds).toContain('varve_flush_duration_seconds_bucket{le="0.0004",kind="fsync"} 1');
  expect(seconds).toContain('varve_flush_duration_seconds_sum{kind="fsync"} 0.0003');
  expect(await samples(metrics, 'varve_flush_batch')).toContain(
    'varve_flush_batch_bytes_bucket{le="256"} 1',
  );
});

test('a member that is removed is no longer exposed and starts anew when it comes back', async () => {
  const metrics = make();
  const gauge = metrics.gauge('varve_log_size_bytes', 'Size.', ['topic']);
  const histogram = metrics.histogram('varve_log_read_bytes', 'Read.', ['topic']);
  gauge.labels('a').set(5);
  histogram.labels('a').observe(5);
  gauge.remove('a');
  histogram.remove('a');
  expect(await samples(metrics, 'varve')).toEqual([]);
  gauge.labels('a').add(1);
  expect(await samples(metrics, 'varve')).toEqual(['varve_log_size_bytes{topic="a"} 1']);
});

test('label values from outside cannot forge lines', async () => {
  const metrics = make();
  metrics.gauge('varve_a', 'A.', ['topic']).labels('x"} 1\nvarve_b 2').set(1);
  expect(await samples(metrics, 'varve')).toEqual(['varve_a{topic="x\\"} 1\\nvarve_b 2"} 1']);
});

test('updates run before every exposition', async () => {
  const metrics = make();
  const gauge = metrics.gauge('varve_a', 'A.').labels();
  metrics.beforeExpose(() => gauge.add(1));
  await metrics.expose();
  expect(await samples(metrics, 'varve_a')).toEqual(['varve_a 2']);
});

test('two registries know nothing of each other', async () => {
  const [one, two] = [make(), make()];
  one.counter('varve_a_total', 'A.').labels().add(1);
  two.counter('varve_a_total', 'A.');
  expect(await samples(two, 'varve_a')).toEqual(['varve_a_total 0']);
});

test('a wrong number of labels, a name declared twice, a name against the conventions are bugs', () => {
  const metrics = make();
  const family = metrics.counter('varve_a_total', 'A.', ['topic']);
  expect(() => family.labels()).toThrow('a value for each label name');
  expect(() => metrics.counter('varve_a_total', 'A.')).toThrow('already been registered');
  expect(() => metrics.counter('varve_a', 'A.')).toThrow('end in _total');
  expect(() => metrics.gauge('varve_b_total', 'B.')).toThrow('end in _total');
  expect(() => metrics.gauge('b', 'B.')).toThrow('varve_ and lower-case words');
  expect(() => metrics.histogram('varve_c_ms', 'C.')).toThrow('ends with its unit');
});

test('process metrics come with the lag of the event loop', async () => {
  const metrics = new PrometheusMetrics({ processMetrics: true });
  const text = await metrics.expose();
  expect(text).toContain('nodejs_eventloop_lag_p99_seconds');
  expect(text).toContain('process_resident_memory_bytes');
});
