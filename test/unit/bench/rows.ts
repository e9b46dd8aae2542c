import type { Row } from '../../../bench/rows.ts';

/** A row of `produce-1k`, Varve's if not told otherwise. */
export const row = (how: Partial<Row> = {}): Row => ({
  scenario: 'produce-1k',
  system: 'varve',
  mode: 'fsync',
  metric: 'throughput',
  value: 1,
  unit: 'records/s',
  commit: 'abc',
  machine: 'a machine',
  time: '2026-11-21T00:00:00.000Z',
  load: [0.25, 1.5],
  ...how,
});
