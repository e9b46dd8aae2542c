import { createHistogram } from 'node:perf_hooks';
import { connect } from '../../src/client/main.ts';
import { sleep, type TimedPart, timedPart } from './clock.ts';
import type { LoadJob } from './job.ts';
import { type LatencySummary, recordLatency, summarize } from './latency-summary.ts';
import { OpenLoop } from './open-loop.ts';
import { ensureTopic, TOPIC } from './topic.ts';
import { ValuePool, valueNumber } from './value-pool.ts';

export interface LatencyResult extends TimedPart {
  readonly ack: LatencySummary;
  readonly endToEnd: LatencySummary;
}

/**
 * Sends single records at a fixed rate and reads them back in the same process. Each is timed from
 * the moment it was due to its acknowledgement and to its arrival at the consumer.
 */
export async function latency(job: LoadJob): Promise<LatencyResult> {
  const { recordBytes, ratePerSecond, warmupSeconds, seconds } = job;
  const client = await connect({ brokers: [job.server] });
  await ensureTopic(client, job);
  const producer = client.producer({ lingerMs: 0 });
  // Opens the producer's stream outside of what is timed, and tells where the rest will begin.
  const { offset } = await producer.send({ topic: TOPIC, value: new Uint8Array(recordBytes) });
  const topics = [{ topic: TOPIC, partition: 0 }];
  const consumer = client.consumer({ topics, from: { offset: offset + 1 } });

  const loop = new OpenLoop(ratePerSecond, warmupSeconds + seconds);
  const warmupCount = Math.round(ratePerSecond * warmupSeconds);
  const values = new ValuePool(recordBytes, loop.count);
  const [ack, endToEnd] = [createHistogram(), createHistogram()];
  let [acknowledged, consumed] = [0, 0];
  const failed = Promise.withResolvers<never>();

  const consuming = (async () => {
    for await (const { value } of consumer) {
      const index = valueNumber(value!);
      if (index >= warmupCount) recordLatency(endToEnd, loop.age(index));
      if (++consumed === loop.count) return;
    }
  })().catch(failed.reject);
  const send = (index: number) => {
    producer.send({ topic: TOPIC, value: values.next() }).then(() => {
      if (index >= warmupCount) recordLatency(ack, loop.age(index));
      acknowledged++;
    }, failed.reject);
  };
  const end = timedPart();
  const run = async () => {
    await loop.run(send);
    await consuming;
    while (acknowledged < loop.count) await sleep(5);
  };
  await Promise.race([run(), failed.promise]);
  const timed = end();
  await client.close();
  return { ack: summarize(ack), endToEnd: summarize(endToEnd), ...timed };
}
