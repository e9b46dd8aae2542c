import { createHistogram } from 'node:perf_hooks';
import { BatchBuilder } from '../../src/records/batch-builder.ts';
import { emit, serveJob } from '../run/worker.ts';
import { sleep, type TimedPart, timedPart } from './clock.ts';
import { KafkaConnection } from './kafka-connection.ts';
import {
  apiVersions,
  createTopic,
  frameOf,
  metadata,
  produce,
  produceErrorAt,
} from './kafka-frames.ts';
import { type LatencySummary, recordLatency, summarize } from './latency-summary.ts';
import { OpenLoop } from './open-loop.ts';

/**
 * - `idle` opens the connections, says `open`, and keeps them until it is killed. - `brief` opens them and
 *   ends. - `active` sends single records on them in turn, at a fixed rate, and answers `ack`.
 */
export interface ConnectionsJob {
  readonly work: 'idle' | 'brief' | 'active';
  /** HOST:PORT of a listener for Kafka clients. */
  readonly server: string;
  readonly connections: number;
  /** Of all connections together. */
  readonly ratePerSecond: number;
  readonly recordBytes: number;
  readonly warmupSeconds: number;
  readonly seconds: number;
}

export interface ActiveResult extends TimedPart {
  readonly ack: LatencySummary;
}

const TOPIC = 'bench';
/** Connections that are opened at a time: fewer than servers let wait to be accepted. */
const WAVE = 50;

serveJob<ConnectionsJob>(async (job) => {
  const failed = Promise.withResolvers<never>();
  return await Promise.race([work(job, failed.reject), failed.promise]);
});

async function work(job: ConnectionsJob, onLost: (error: Error) => void): Promise<object> {
  const connections = await openAll(job, onLost);
  if (job.work === 'brief') return {};
  if (job.work === 'active') return await produceOnAll(connections, job);
  emit({ event: 'open' });
  return await new Promise<never>(() => {});
}

/** Each has asked what a client asks first; also makes the topic, if it is not there. */
async function openAll(
  { server, connections }: ConnectionsJob,
  onLost: (error: Error) => void,
): Promise<KafkaConnection[]> {
  const opened: KafkaConnection[] = [];
  const open = async (): Promise<KafkaConnection> => {
    const connection = await KafkaConnection.open(server, onLost);
    await connection.ask(frameOf(apiVersions, 1));
    if (opened.length === 0) await connection.ask(frameOf(createTopic(TOPIC), 2));
    await connection.ask(frameOf(metadata(TOPIC), 3));
    return connection;
  };
  opened.push(await open());
  while (opened.length < connections) {
    const count = Math.min(WAVE, connections - opened.length);
    opened.push(...(await Promise.all(Array.from({ length: count }, open))));
  }
  return opened;
}

/** Each record is timed from when it was due. */
async function produceOnAll(
  connections: readonly KafkaConnection[],
  { ratePerSecond, recordBytes, warmupSeconds, seconds }: ConnectionsJob,
): Promise<ActiveResult> {
  const builder = new BatchBuilder({ compression: 0 });
  const value = crypto.getRandomValues(new Uint8Array(recordBytes));
  builder.append({ key: null, value, timestampMs: Date.now() });
  const frame = frameOf(produce(TOPIC, builder.build()), 4);
  const errorAt = produceErrorAt(TOPIC);
  const loop = new OpenLoop(ratePerSecond, warmupSeconds + seconds);
  const warmupCount = Math.round(ratePerSecond * warmupSeconds);
  const ack = createHistogram();
  const failed = Promise.withResolvers<never>();
  let acknowledged = 0;
  const end = timedPart();
  const send = (index: number): void => {
    connections[index % connections.length]!.send(frame, (answer) => {
      const code = answer.readInt16BE(errorAt);
      if (code !== 0) failed.reject(new Error(`a record was answered with error ${code}`));
      if (index >= warmupCount) recordLatency(ack, loop.age(index));
      acknowledged++;
    });
  };
  const run = async (): Promise<void> => {
    await loop.run(send);
    while (acknowledged < loop.count) await sleep(5);
  };
  await Promise.race([run(), failed.promise]);
  return { ack: summarize(ack), ...end() };
}
