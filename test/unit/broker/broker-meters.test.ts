import { expect, test } from 'vitest';
import { BrokerMeters } from '../../../src/broker/broker-meters.ts';
import { Errors } from '../../../src/model/errors.ts';
import { NO_LEADER_EPOCH } from '../../../src/model/ids.ts';
import { PrometheusMetrics } from '../../../src/telemetry/prometheus-metrics.ts';

function meters() {
  let nowMs = 1_000;
  const metrics = new PrometheusMetrics({ processMetrics: false });
  const clock = { monotonicMs: () => nowMs, wallMs: () => nowMs };
  return {
    metrics,
    meters: new BrokerMeters(metrics, clock),
    pass: (ms: number) => {
      nowMs += ms;
    },
  };
}

const item = (bytes: number) => ({
  topic: 't',
  partition: 0,
  topicId: new Uint8Array(0),
  records: new Uint8Array(bytes),
});

const result = (row = Errors.NONE) => ({
  row,
  detail: '',
  baseOffset: 0,
  logAppendTimeMs: -1,
  logStartOffset: 0,
  leaderId: -1,
  leaderEpoch: NO_LEADER_EPOCH,
});

test('produced bytes, the time to the answer, and errors by name are counted', async () => {
  const { metrics, meters: counted, pass } = meters();
  const beganMs = counted.produceBegun([item(100), item(20)]);
  pass(250);
  counted.produceEnded(beganMs, [result(), result(Errors.MESSAGE_TOO_LARGE)]);
  const text = await metrics.expose();
  expect(text).toContain('varve_broker_produced_bytes_total 120');
  expect(text).toContain('varve_broker_produce_seconds_sum 0.25');
  expect(text).toContain('varve_broker_produce_errors_total{error="MESSAGE_TOO_LARGE"} 1');
  expect(text).not.toContain('error="NONE"');
});

test('fetched bytes are counted', async () => {
  const { metrics, meters: counted } = meters();
  const fetched = {
    topic: 't',
    partition: 0,
    correlationId: 1,
    fromOffset: 0,
    row: Errors.NONE,
    detail: '',
    marks: null,
    batches: [],
  };
  counted.fetched([
    { ...fetched, bytes: 7 },
    { ...fetched, bytes: 5 },
  ]);
  expect(await metrics.expose()).toContain('varve_broker_fetched_bytes_total 12');
});
