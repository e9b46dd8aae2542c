import type { Broker } from '../broker/broker.ts';
import type { Metrics } from '../telemetry/metrics.ts';

/** Gauges of the whole broker, read when they are asked for. No label can grow without bound. */
export function registerServerMetrics(metrics: Metrics, broker: Broker): void {
  const topics = metrics.gauge('varve_broker_topics', 'Topics of the cluster.').labels();
  const leaders = metrics
    .gauge('varve_broker_leader_partitions', 'Partitions that this broker leads.')
    .labels();
  metrics.beforeExpose(() => {
    topics.set(broker.image.topics.size);
    leaders.set(broker.leaderCount);
  });
}
