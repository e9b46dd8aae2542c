import {
  type Counter,
  checkMetricName,
  type Family,
  type Gauge,
  type Histogram,
  type Metrics,
} from './metrics.ts';

/** Keeps nothing, but asserts names as the real one does: for tests, simulation and the client. */
export const noMetrics: Metrics = {
  contentType: 'text/plain; charset=utf-8',

  counter(name): Family<Counter> {
    checkMetricName('counter', name);
    return noFamily;
  },

  gauge(name): Family<Gauge> {
    checkMetricName('gauge', name);
    return noFamily;
  },

  histogram(name): Family<Histogram> {
    checkMetricName('histogram', name);
    return noFamily;
  },

  beforeExpose() {},

  expose: async () => '',
};

const noMember: Counter & Gauge & Histogram = {
  add() {},
  set() {},
  observe() {},
};

const noFamily: Family<Counter & Gauge & Histogram> = {
  labels: () => noMember,
  remove() {},
};
