import { assert } from '../model/assert.ts';

/**
 * Where a component declares what it counts and measures. Each family is declared once, by the
 * constructor of its owner, which holds the members it needs: looking one up by labels is not for
 * hot paths, adding to one is a plain addition.
 *
 * Names follow Prometheus: `varve_<room>_<what>_<unit>`, base units (seconds, bytes), counters end
 * in `_total`; the name of a histogram ends with its unit, from which its buckets follow. Declaring
 * a name twice is a bug.
 */
export interface Metrics {
  counter(name: string, help: string, labelNames?: readonly string[]): Family<Counter>;
  gauge(name: string, help: string, labelNames?: readonly string[]): Family<Gauge>;
  histogram(name: string, help: string, labelNames?: readonly string[]): Family<Histogram>;
  /** Calls `update` before every exposition: for gauges that are cheaper to read than to keep. */
  beforeExpose(update: () => void): void;
  /** All values in Prometheus' text format. */
  expose(): Promise<string>;
  /** MIME type of what `expose` returns. */
  readonly contentType: string;
}

/** A number that only grows. */
export interface Counter {
  add(amount: number): void;
}

/** A number that goes up and down. */
export interface Gauge {
  set(value: number): void;
  add(amount: number): void;
}

/** A distribution of finite numbers. */
export interface Histogram {
  observe(value: number): void;
}

/** The members of a metric, one a combination of label values; whose thing ends removes its own. */
export interface Family<Member> {
  /**
   * The member with these label values, one a label name and in their order; the same at every call.
   * A metric without labels has one member: `labels()`.
   */
  labels(...values: readonly string[]): Member;
  /** Ends the member: it is no longer exposed, what is added to it is lost. */
  remove(...values: readonly string[]): void;
}

const nameShape = /^varve(_[a-z0-9]+)+$/;

/** Asserts what Prometheus' conventions and ours ask of a name. */
export function checkMetricName(kind: 'counter' | 'gauge' | 'histogram', name: string): void {
  assert(nameShape.test(name), 'the name of a metric is varve_ and lower-case words');
  assert(
    (kind === 'counter') === name.endsWith('_total'),
    'the names of counters, and only theirs, end in _total',
  );
  assert(
    kind !== 'histogram' || /_(seconds|bytes|records)$/.test(name),
    'the name of a histogram ends with its unit: seconds, bytes or records',
  );
}

/** Seconds from 100 µs to 26 s, doubling. */
const secondsBuckets: readonly number[] = Array.from({ length: 19 }, (_, i) => 0.0001 * 2 ** i);
/** Bytes or records from 1 to 2^28, times four. */
const countBuckets: readonly number[] = Array.from({ length: 15 }, (_, i) => 4 ** i);

/** The upper bounds of the buckets of a histogram, by the unit in its name. */
export const bucketsFor = (name: string): readonly number[] =>
  name.endsWith('_seconds') ? secondsBuckets : countBuckets;
