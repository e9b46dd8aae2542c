import { expect, test } from 'vitest';
import { PeerRefusals } from '../../../src/server/peer-refusals.ts';
import type { LogFields, Logger } from '../../../src/telemetry/logger.ts';
import { PrometheusMetrics } from '../../../src/telemetry/prometheus-metrics.ts';

test('every refusal is counted, and one line in ten seconds is logged for each limit', async () => {
  let nowMs = 0;
  const lines: LogFields[] = [];
  const warn = (fields: LogFields): void => void lines.push(fields);
  const metrics = new PrometheusMetrics({ processMetrics: false });
  const clock = { monotonicMs: () => nowMs, wallMs: () => 0 };
  const refusals = new PeerRefusals(clock, { warn } as unknown as Logger, metrics);
  for (let i = 0; i < 1000; i++) refusals.note('max.connections', 'a');
  refusals.note('grpc.message.timeout.ms', 'b');
  nowMs = 10_000;
  refusals.note('max.connections', 'c');
  // What is different each time is for the log: every name of the metric is kept.
  refusals.note('malformed request', 'd', 'a length of -2');
  expect(lines).toEqual([
    { limit: 'max.connections', peer: 'a', refused: 1 },
    { limit: 'grpc.message.timeout.ms', peer: 'b', refused: 1 },
    { limit: 'max.connections', peer: 'c', refused: 1000 },
    { limit: 'malformed request', peer: 'd', refused: 1, detail: 'a length of -2' },
  ]);
  expect(await metrics.expose()).toContain('{limit="malformed request"} 1');
  expect(await metrics.expose()).toContain(
    'varve_peers_refused_total{limit="max.connections"} 1001',
  );
});
