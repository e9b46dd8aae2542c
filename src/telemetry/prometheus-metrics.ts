import {
  Counter as ClientCounter,
  Gauge as ClientGauge,
  Histogram as ClientHistogram,
  collectDefaultMetrics,
  Registry,
} from '@prometheus-io/client';
import { assert } from '../model/assert.ts';
import {
  bucketsFor,
  type Counter,
  checkMetricName,
  type Family,
  type Gauge,
  type Histogram,
  type Metrics,
} from './metrics.ts';

export interface PrometheusOptions {
  /**
   * Adds what Prometheus clients report about their process: CPU, memory, file descriptors, garbage
   * collection, event loop lag. For a process of our own only: it cannot be taken back.
   */
  readonly processMetrics: boolean;
}

/**
 * Metrics in a registry of their own, so that several brokers in a process do not meet. Counters and
 * gauges are plain numbers here and reach the client library when they are exposed; histograms live
 * in the client library.
 */
export class PrometheusMetrics implements Metrics {
  readonly #registry = new Registry(Registry.PROMETHEUS_CONTENT_TYPE);
  readonly #updates: (() => void)[] = [];

  constructor(options: PrometheusOptions) {
    if (options.processMetrics) collectDefaultMetrics({ register: this.#registry });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  counter(name: string, help: string, labelNames: readonly string[] = []): Family<Counter> {
    checkMetricName('counter', name);
    const family = new NumberFamily(labelNames);
    new ClientCounter<string>({
      name,
      help,
      labelNames,
      registers: [this.#registry],
      collect() {
        this.reset();
        for (const { labels, value } of family.members()) this.inc(labels, value);
      },
    });
    return family;
  }

  gauge(name: string, help: string, labelNames: readonly string[] = []): Family<Gauge> {
    checkMetricName('gauge', name);
    const family = new NumberFamily(labelNames);
    new ClientGauge<string>({
      name,
      help,
      labelNames,
      registers: [this.#registry],
      collect() {
        this.reset();
        for (const { labels, value } of family.members()) this.set(labels, value);
      },
    });
    return family;
  }

  histogram(name: string, help: string, labelNames: readonly string[] = []): Family<Histogram> {
    checkMetricName('histogram', name);
    const histogram = new ClientHistogram<string>({
      name,
      help,
      labelNames,
      buckets: [...bucketsFor(name)],
      registers: [this.#registry],
    });
    return {
      labels: (...values) => histogram.labels(...values),
      remove: (...values) => histogram.remove(...values),
    };
  }

  beforeExpose(update: () => void): void {
    this.#updates.push(update);
  }

  async expose(): Promise<string> {
    for (const update of this.#updates) update();
    return this.#registry.metrics();
  }
}

/** A counter or a gauge. */
class NumberMember implements Counter, Gauge {
  readonly labels: Readonly<Record<string, string>>;
  value = 0;

  constructor(labels: Readonly<Record<string, string>>) {
    this.labels = labels;
  }

  add(amount: number): void {
    this.value += amount;
  }

  set(value: number): void {
    this.value = value;
  }
}

class NumberFamily implements Family<NumberMember> {
  readonly #labelNames: readonly string[];
  readonly #members: Map<string, NumberMember> = new Map();

  constructor(labelNames: readonly string[]) {
    this.#labelNames = labelNames;
  }

  labels(...values: readonly string[]): NumberMember {
    assert(values.length === this.#labelNames.length, 'a metric gets a value for each label name');
    const key = JSON.stringify(values);
    let member = this.#members.get(key);
    if (member === undefined) {
      member = new NumberMember(
        Object.fromEntries(this.#labelNames.map((name, i) => [name, values[i]!])),
      );
      this.#members.set(key, member);
    }
    return member;
  }

  remove(...values: readonly string[]): void {
    this.#members.delete(JSON.stringify(values));
  }

  members(): Iterable<NumberMember> {
    return this.#members.values();
  }
}
