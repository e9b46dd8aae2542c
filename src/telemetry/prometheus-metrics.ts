import { createRequire } from 'node:module';
import type * as client from '@prometheus-io/client';
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

// File by file: the whole library brings the OpenTelemetry API and more that the first record does not
// need, 20 ms of every start.
const require = createRequire(import.meta.url);
const ClientCounter: typeof client.Counter = require('@prometheus-io/client/lib/counter.js');
const ClientGauge: typeof client.Gauge = require('@prometheus-io/client/lib/gauge.js');
const ClientHistogram: typeof client.Histogram = require('@prometheus-io/client/lib/histogram.js');
const Registry: typeof client.Registry = require('@prometheus-io/client/lib/registry.js');

export interface PrometheusOptions {
  /**
   * Adds what Prometheus clients report about their process: CPU, memory, file descriptors, garbage
   * collection, event loop lag; what it counts, from the first exposure on. For a process of our own
   * only: it cannot be taken back.
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
  /** Process metrics are wanted, and nobody has asked for any metrics yet. */
  #lacksProcess: boolean;

  constructor(options: PrometheusOptions) {
    this.#lacksProcess = options.processMetrics;
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
    if (this.#lacksProcess) this.#collectProcess();
    for (const update of this.#updates) update();
    return this.#registry.metrics();
  }

  #collectProcess(): void {
    this.#lacksProcess = false;
    const collect: typeof client.collectDefaultMetrics = require('@prometheus-io/client/lib/defaultMetrics.js');
    collect({ register: this.#registry });
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
