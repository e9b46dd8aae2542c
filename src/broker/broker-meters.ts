import type { Clock } from '../env/ports.ts';
import { Errors } from '../model/errors.ts';
import type { Counter, Family, Histogram, Metrics } from '../telemetry/metrics.ts';
import type { ProduceItem, ProduceResult } from './produce.ts';

/** What the use cases count. The only label is the name of a row of the error table: it is bounded. */
export class BrokerMeters {
  readonly #clock: Clock;
  readonly #produceSeconds: Histogram;
  readonly #producedBytes: Counter;
  readonly #produceErrors: Family<Counter>;
  readonly #fetchedBytes: Counter;

  constructor(metrics: Metrics, clock: Clock) {
    this.#clock = clock;
    this.#produceSeconds = metrics
      .histogram(
        'varve_broker_produce_seconds',
        'From taking a produce request to its answer, fsync included.',
      )
      .labels();
    this.#producedBytes = metrics
      .counter('varve_broker_produced_bytes_total', 'Bytes of batches that were to be appended.')
      .labels();
    this.#produceErrors = metrics.counter(
      'varve_broker_produce_errors_total',
      'Batches that were not appended, or not known to be safe, by error.',
      ['error'],
    );
    this.#fetchedBytes = metrics
      .counter('varve_broker_fetched_bytes_total', 'Bytes of batches that were sent to readers.')
      .labels();
  }

  /** A produce request was taken; the result is for `produceEnded`. */
  produceBegun(items: readonly ProduceItem[]): number {
    let bytes = 0;
    for (const { records } of items) bytes += records.length;
    this.#producedBytes.add(bytes);
    return this.#clock.monotonicMs();
  }

  produceEnded(beganMs: number, results: readonly ProduceResult[]): void {
    this.#produceSeconds.observe((this.#clock.monotonicMs() - beganMs) / 1000);
    for (const { row } of results) {
      if (row !== Errors.NONE) this.#produceErrors.labels(row.name).add(1);
    }
  }

  fetched(fetched: readonly { readonly bytes: number }[]): void {
    let bytes = 0;
    for (const each of fetched) bytes += each.bytes;
    this.#fetchedBytes.add(bytes);
  }
}
