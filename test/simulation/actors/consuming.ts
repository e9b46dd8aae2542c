import type { Client } from '../../../src/client/client.ts';
import type { Consumer } from '../../../src/client/consumer.ts';
import type { ConsumerOptions } from '../../../src/client/consumer-options.ts';
import { VarveError } from '../../../src/client/errors.ts';
import type { ConsumerRecord } from '../../../src/client/record-decoder.ts';
import type { Read, SimulatedTopic } from '../history.ts';
import { sendIdOf, valueOfSend } from '../values.ts';
import { answered, type Scene, sleep } from './scene.ts';

/** Reads topics live, each from a place at random, again and again as it is told to stop. */
export async function consume(
  name: string,
  scene: Scene,
  client: Client,
  topics: readonly SimulatedTopic[],
): Promise<void> {
  const random = scene.random.fork(name);
  const isFragile = topics.some(({ durability }) => durability === 'replicated');
  for (let turn = 0; !scene.isOver(); turn++) {
    const stop = new AbortController();
    let consumer: Consumer | undefined;
    // What is fetched ahead and lost in a power cut would be taken for read after it.
    const unlisten = isFragile ? scene.onPowerCut(() => stop.abort()) : (): void => {};
    const reading = readInto(scene, client, topics, {
      reader: `${name} ${turn}`,
      slowness: random.pick([0, 0, 0.02, 0.1]),
      restlessness: random.pick([0, 0, 0.02, 0.2]),
      onConsumer: (made) => {
        consumer = made;
      },
      options: {
        from: turn === 0 ? 'earliest' : random.pick(['earliest', 'latest'] as const),
        prefetchBytes: random.pick([1024, 64 * 1024, 1024 * 1024]),
        signal: stop.signal,
      },
    });
    const hasAll = (): Promise<boolean> => hasReadAll(client, topics, consumer!);
    const over = watchEnd(scene, stop, hasAll);
    await reading.catch(ignoreEndOfReading);
    stop.abort();
    unlisten();
    await over;
    await sleep(scene, random.between(5, 50));
  }
}

/** Reads everything that is there now, from the beginning. */
export async function readToEnd(
  scene: Scene,
  client: Client,
  topic: SimulatedTopic,
  reader: string,
): Promise<Read[]> {
  return await readInto(scene, client, [topic], {
    reader,
    slowness: 0,
    restlessness: 0,
    onConsumer() {},
    options: { from: 'earliest', until: 'end' },
  });
}

interface Reading {
  readonly reader: string;
  /** Likelihood of a rest after a record. */
  readonly slowness: number;
  /** Likelihood that its partition is paused after a record, and what was fetched dropped. */
  readonly restlessness: number;
  onConsumer(consumer: Consumer): void;
  readonly options: Omit<ConsumerOptions, 'topics'>;
}

async function readInto(
  scene: Scene,
  client: Client,
  topics: readonly SimulatedTopic[],
  { reader, slowness, restlessness, onConsumer, options }: Reading,
): Promise<Read[]> {
  const { history } = scene;
  const random = scene.random.fork(reader);
  const byName = new Map(topics.map((topic) => [topic.name, topic]));
  const reads: Read[] = [];
  const consumer = client.consumer({ ...options, topics: [...byName.keys()] });
  onConsumer(consumer);
  try {
    for await (const record of consumer) {
      if (options.signal?.aborted) break;
      const read = readOf(scene, record, byName.get(record.topic)!, reader);
      history.reads.push(read);
      reads.push(read);
      if (random.chance(slowness)) await sleep(scene, random.below(30));
      if (random.chance(restlessness)) {
        consumer.pause([record]);
        if (random.chance(0.5)) await sleep(scene, random.below(10));
        consumer.resume([record]);
      }
    }
  } finally {
    await consumer.close();
  }
  return reads;
}

function readOf(scene: Scene, record: ConsumerRecord, topic: SimulatedTopic, reader: string): Read {
  const { history, env } = scene;
  const { partition, offset, key, value } = record;
  const sendId = sendIdOf(value);
  const send = history.sends[sendId];
  const isIntact =
    send !== undefined &&
    isEqual(value, valueOfSend(sendId, send.bytes)) &&
    isEqual(key, send.recordKey === null ? null : Buffer.from(send.recordKey)) &&
    record.headers.length === 1 &&
    isEqual(record.headers[0]!.value, Buffer.from(send.producer)) &&
    (topic.hasAppendTime || record.timestampMs === send.timestampMs);
  return {
    reader,
    topic: topic.key,
    partition,
    offset,
    sendId,
    isIntact,
    atMs: env.clock.monotonicMs(),
    era: history.era,
  };
}

function isEqual(a: Uint8Array | null, b: Uint8Array | null): boolean {
  return a === null || b === null ? a === b : Buffer.compare(a, b) === 0;
}

/** Who reads when the load is over is not left alone before everything has come. */
async function watchEnd(
  scene: Scene,
  stop: AbortController,
  hasAll: () => Promise<boolean>,
): Promise<void> {
  while (!stop.signal.aborted) {
    if (scene.isOver() && (await answered(scene, hasAll))) stop.abort();
    else await sleep(scene, 50);
  }
}

/** Whether the partitions that a consumer knows are read as far as they go. */
async function hasReadAll(
  client: Client,
  topics: readonly SimulatedTopic[],
  consumer: Consumer,
): Promise<boolean> {
  for (const { name: topic } of topics) {
    for (let partition = 0; ; partition++) {
      const position = consumer.position({ topic, partition });
      if (position === undefined) break;
      const [latest] = await client.admin().listOffsets([{ topic, partition, at: 'latest' }]);
      if (latest!.error !== undefined) throw latest!.error;
      if (position < latest!.offset) return false;
    }
  }
  return true;
}

/** Told to stop, or the log starts later now than the position. */
function ignoreEndOfReading(error: unknown): void {
  const isAbort = error instanceof Error && error.name === 'AbortError';
  const isOutOfRange = VarveError.is(error) && error.code === 'OFFSET_OUT_OF_RANGE';
  const isTransient = VarveError.is(error) && error.retriable;
  if (!isAbort && !isOutOfRange && !isTransient) throw error;
}
