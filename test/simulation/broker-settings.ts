import { BROKER_ADDRESS } from './actors/scene.ts';
import type { SimulatedRandom } from './env/simulated-random.ts';

/** Settings under which everything that the broker does now and then happens all the time. */
export const drawBrokerSettings = (random: SimulatedRandom): Map<string, string> =>
  new Map([
    ['grpc.listener', BROKER_ADDRESS],
    ['http.listener', ''],
    ['kafka.listeners', ''],
    ['shutdown.timeout.ms', '200'],
    ['log.retention.check.interval.ms', random.pick(['40', '150', '600'])],
    ['log.marks.interval.ms', random.pick(['5', '30', '200', '1000'])],
    ['log.tail.cache.bytes', random.pick(['0', '4096', '67108864'])],
    ['log.open.segments.max', random.pick(['1', '2', '128'])],
    ['log.open.writers.max', random.pick(['1', '3', '2048'])],
    ['log.journal.partitions.min', random.pick(['1', '2', '16', '16'])],
    ['log.journal.bytes', random.pick(['2000', '20000', '67108864'])],
    ['num.recovery.threads.per.data.dir', random.pick(['1', '3'])],
    ['log.scrub.interval.ms', random.pick(['30', '1000', '604800000'])],
    ['log.scrub.bytes.per.second', random.pick(['0', '20000', '1000000'])],
    ['metadata.snapshot.interval.entries', random.pick(['2', '6', '20', '10000'])],
  ]);
