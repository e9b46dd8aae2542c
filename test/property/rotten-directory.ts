import { parseSettings } from '../../src/config/parse-settings.ts';
import { Controller } from '../../src/controller/controller.ts';
import { controllerSettings } from '../../src/controller/controller-config.ts';
import type { Env, KeyValueStore } from '../../src/env/ports.ts';
import type { Log } from '../../src/log/log.ts';
import type { LogDirectory } from '../../src/log/log-directory.ts';
import {
  type TopicLogConfig,
  topicLogConfig,
  topicLogDefaultSettings,
  topicLogSettings,
} from '../../src/log/topic-config.ts';
import { nodeId, type Offset, offset, producerId } from '../../src/model/ids.ts';
import { BatchView } from '../../src/records/batch-view.ts';
import { DataDirectory } from '../../src/server/data-directory.ts';
import { checkMetadataAge } from '../../src/server/metadata-age.ts';
import { type LogFields, type Logger, silentLogger } from '../../src/telemetry/logger.ts';
import { PrometheusMetrics } from '../../src/telemetry/prometheus-metrics.ts';
import { registrationOf } from '../support/broker-registration.ts';
import { makeBatch } from '../unit/log/log-world.ts';

/** A data directory as bytes: files by their path in it; a store in memory gives a file a value. */
export type Image = ReadonlyMap<string, Uint8Array>;

/** A batch that was acknowledged. */
export interface Truth {
  readonly baseOffset: number;
  readonly nextOffset: number;
  readonly bytes: Uint8Array;
  /** What was handed in, to hand it in again. */
  readonly sent: Uint8Array;
  /** Largest timestamp, and the timestamps of its records. */
  readonly timestamps: readonly number[];
}

/** A directory in the states in which rot can meet it. */
export interface Directory {
  /** Stopped in order, an earlier life: what older versions of files are taken from. */
  readonly older: Image;
  /** The process was killed. The marks are as they were before the last batches. */
  readonly killed: Image;
  readonly clean: Image;
  /** Acknowledged batches of `orders-0` and `other-0`. */
  readonly truth: ReadonlyMap<string, readonly Truth[]>;
  /** Of `orders-0`. */
  readonly startOffset: number;
}

const NODE = nodeId(1);
const STORE = 'metadata/';

const settings: ReadonlyMap<string, string> = new Map([
  ['log.tail.cache.bytes', '0'],
  ['log.marks.interval.ms', '20'],
  ['metadata.snapshot.interval.entries', '3'],
  ['log.retention.check.interval.ms', '1d'],
]);

const defaults = parseSettings(topicLogDefaultSettings, settings);

/** Segments smaller than can be set, so that little data makes many. */
const configOf = (configs: ReadonlyMap<string, string>): TopicLogConfig => ({
  ...topicLogConfig(defaults, configs),
  ...{ segmentBytes: 2000, indexIntervalBytes: 300, retentionMs: -1 },
});

/** What a node said while it was open. */
interface Line {
  readonly level: 'info' | 'warn' | 'error';
  readonly fields: LogFields;
  readonly message: string;
}

/** Everything that may be is committed by the journal. */
const journaling: ReadonlyMap<string, string> = new Map([['log.journal.partitions.min', '1']]);

/** A node without doors. */
export class Node {
  readonly lines: Line[] = [];
  readonly metrics: PrometheusMetrics = new PrometheusMetrics({ processMetrics: false });
  data!: DataDirectory;
  logs!: LogDirectory;
  controller!: Controller;
  store!: KeyValueStore;

  /** Rejects as the start of a server does. */
  static async open(
    env: Env,
    path: string,
    more: ReadonlyMap<string, string> = new Map(),
  ): Promise<Node> {
    const node = new Node();
    const stores = {
      open: async (name: string) => {
        node.store = await env.stores.open(name);
        return node.store;
      },
    };
    const all = new Map([...settings, ...more]);
    const options = { path, nodeId: NODE, clusterId: '', settings: all, ioThreads: 4 };
    const fail = (error: unknown): void => {
      throw error;
    };
    node.data = await DataDirectory.open(options, { ...env, stores }, node.#logger(), fail);
    try {
      await node.#load(env);
    } catch (error) {
      await node.data.close().catch(() => {});
      throw error;
    }
    return node;
  }

  async #load(env: Env): Promise<void> {
    const { quorum, identity } = this.data;
    const config = parseSettings(controllerSettings, settings);
    const controller = new Controller(config, env.random, quorum, identity, topicLogSettings);
    this.controller = controller;
    await this.data.leadAlone(controller.replica);
    const owner = {
      describe: ({ topic }: { topic: string }, topicId: string) => {
        const known = controller.image.topics.get(topicId as never);
        if (known?.name === topic) return configOf(known.configs);
        return 'unknown' as const;
      },
      highWatermark: (log: Log) => log.flushedOffset,
      onFailure: () => {},
      onFlushStall: () => {},
    };
    this.logs = await this.data.openLogs(owner, this.metrics);
    checkMetadataAge(controller.image, this.logs.logs());
  }

  /** A new incarnation: leader epochs rise. */
  async register(incarnationId: string): Promise<void> {
    const { directoryId } = this.data.identity;
    await this.controller.registerBroker(registrationOf(NODE, incarnationId, { directoryId }));
    for (const log of this.logs.logs()) {
      log.beginLeaderEpoch(this.#epoch(log.topicPartition.topic));
    }
  }

  async createTopics(names: readonly string[]): Promise<void> {
    const topics = names.map((name) => ({
      ...{ name, partitionCount: 1, replicationFactor: 1, configs: {} },
    }));
    for (const { error } of await this.controller.createTopics(topics)) {
      if (error !== undefined) throw new Error(error.detail);
    }
  }

  /** The log of partition 0; made if the metadata knows the topic. */
  log(name: string): Log | undefined {
    const { topics } = this.controller.image;
    for (const [topicId, topic] of topics) {
      if (topic.name !== name) continue;
      return this.logs.openLog({ topic: name, partition: 0 }, topicId, configOf(topic.configs));
    }
    return undefined;
  }

  #epoch(name: string) {
    for (const topic of this.controller.image.topics.values()) {
      if (topic.name === name) return topic.partitions[0]!.leaderEpoch;
    }
    throw new Error(`no topic ${name}`);
  }

  /** Appends batches numbered from `first` and waits until they are durable. */
  async append(name: string, first: number, count: number): Promise<Truth[]> {
    const log = this.log(name)!;
    const done: Truth[] = [];
    for (let number = first; number < first + count; number++) {
      // Times rise, with some far ahead of their neighbours.
      const timestampMs = 1_000_000 + number * 100 + (number % 7 === 3 ? 450 : 0);
      const isPlain = hasNoProducer(number);
      const sent = makeBatch({
        ...{ count: isPlain ? 2 : 1, valueBytes: 40 + (number % 3) * 30, tag: number, timestampMs },
        ...(isPlain ? {} : { producer: producerOf(number) }),
      });
      const bytes = sent.slice();
      const outcome = log.append(bytes, this.#epoch(name), 'client');
      if (!outcome.ok) throw new Error(`batch ${number}: ${outcome.detail}`);
      const timestamps = isPlain ? [timestampMs, timestampMs + 1] : [timestampMs];
      const nextOffset = outcome.lastOffset + 1;
      done.push({ baseOffset: outcome.baseOffset, nextOffset, bytes, sent, timestamps });
    }
    while (log.durableOffset < log.logEndOffset) await sleep(1);
    return done;
  }

  close(): Promise<void> {
    return this.data.close();
  }

  said(message: string): boolean {
    return this.lines.some((line) => line.message.includes(message));
  }

  #logger(): Logger {
    const line =
      (level: Line['level']) =>
      (fields: LogFields, message: string): void => {
        this.lines.push({ level, fields, message });
      };
    const [info, warn, error] = [line('info'), line('warn'), line('error')];
    const logger: Logger = { ...silentLogger, info, warn, error, child: () => logger };
    return logger;
  }
}

const hasNoProducer = (number: number): boolean => number % 5 === 4;

/** Two producers take turns, and each counts its own. */
function producerOf(number: number) {
  let baseSequence = 0;
  for (let before = number % 2; before < number; before += 2) {
    if (!hasNoProducer(before)) baseSequence++;
  }
  return { id: producerId(1 + (number % 2)), epoch: 0, baseSequence };
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Makes a directory with closed segments, producers, leader epochs and a raised log start. */
export async function makeDirectory(env: Env, path: string): Promise<Directory> {
  const isMemory = (await env.files.stat('/tmp')) === undefined;
  const first = await Node.open(env, path);
  await first.register('first life');
  await first.createTopics(['orders', 'other']);
  const orders = await first.append('orders', 0, 40);
  const other = await first.append('other', 0, 12);
  await first.close();
  const older = await capture(env, path, isMemory ? 'closed' : null);

  const second = await Node.open(env, path);
  await second.register('second life');
  orders.push(...(await second.append('orders', 40, 43)));
  other.push(...(await second.append('other', 12, 3)));
  const startOffset = orders[3]!.baseOffset;
  await second.log('orders')!.advanceLogStart(offset(startOffset));
  // The marks and what they vouch for are written by a timer.
  await sleep(150);
  const marks = await env.files.readFile(`${path}/durable-marks`);
  const { segmentCount } = second.log('orders')!;
  orders.push(...(await second.append('orders', 83, 3)));
  const killed = await capture(env, path, isMemory ? second.store : null);
  killed.set('durable-marks', marks);
  if (second.log('orders')!.segmentCount !== segmentCount) throw new Error('it rolled too early');
  await second.close();
  const clean = await capture(env, path, isMemory ? 'closed' : null);
  const truth = new Map([
    ['orders', orders],
    ['other', other],
  ]);
  return { older, killed, clean, truth, startOffset };
}

/** Makes a directory whose process was killed when the journal alone had the last batches of `orders-0`. */
export async function makeJournaledDirectory(env: Env, path: string): Promise<Directory> {
  const isMemory = (await env.files.stat('/tmp')) === undefined;
  const node = await Node.open(env, path, journaling);
  await node.register('only life');
  await node.createTopics(['orders', 'other']);
  const other = await node.append('other', 0, 3);
  // The first batch of a segment is never in the journal alone.
  const orders = await node.append('orders', 0, 1);
  orders.push(...(await node.append('orders', 1, 4)));
  const store = isMemory ? node.store : null;
  const older = await capture(env, path, store);
  orders.push(...(await node.append('orders', 5, 3)));
  await sleep(150);
  const marks = await env.files.readFile(`${path}/durable-marks`);
  orders.push(...(await node.append('orders', 8, 2)));
  const killed = await capture(env, path, store);
  killed.set('durable-marks', marks);
  await node.close();
  const clean = await capture(env, path, isMemory ? 'closed' : null);
  const truth = new Map([
    ['orders', orders],
    ['other', other],
  ]);
  return { older, killed, clean, truth, startOffset: 0 };
}

/** @param store of a directory in memory, open or closed */
async function capture(
  env: Env,
  path: string,
  store: KeyValueStore | 'closed' | null,
): Promise<Map<string, Uint8Array>> {
  const image = new Map<string, Uint8Array>();
  const walk = async (folder: string): Promise<void> => {
    for (const name of await env.files.list(`${path}/${folder}`)) {
      const at = `${folder}${name}`;
      const stat = await env.files.stat(`${path}/${at}`);
      if (stat?.kind === 'directory') await walk(`${at}/`);
      else if (name !== 'LOCK') image.set(at, await env.files.readFile(`${path}/${at}`));
    }
  };
  await walk('');
  if (store === null) return image;
  const open = store === 'closed' ? await env.stores.open(`${path}/metadata`) : store;
  const range = { from: new Uint8Array(0), to: Uint8Array.of(0xff) };
  for await (const [key, value] of open.entries(range)) {
    image.set(`${STORE}${Buffer.from(key).toString('hex')}`, value);
  }
  if (store === 'closed') await open.close();
  return image;
}

/** Puts an image on an empty disk. */
export async function restore(
  env: Env,
  path: string,
  image: Image,
  kind: 'memory' | 'real',
): Promise<void> {
  const puts: { type: 'put'; key: Uint8Array; value: Uint8Array }[] = [];
  const folders = new Set<string>();
  await env.files.makeDirectory(path);
  for (const [name, bytes] of image) {
    if (kind === 'memory' && name.startsWith(STORE)) {
      const key = Uint8Array.from(Buffer.from(name.slice(STORE.length), 'hex'));
      puts.push({ type: 'put', key, value: bytes.slice() });
      continue;
    }
    const folder = name.slice(0, Math.max(0, name.lastIndexOf('/')));
    if (folder !== '' && !folders.has(folder)) await env.files.makeDirectory(`${path}/${folder}`);
    folders.add(folder);
    const file = await env.files.open(`${path}/${name}`, 'create');
    await file.write(0, [bytes]);
    await file.close();
  }
  if (kind === 'real') return;
  const store = await env.stores.open(`${path}/metadata`);
  await store.batch(puts, { sync: true });
  await store.close();
}

/** Whole batches of what a log answered. */
export function batchesOf(pieces: readonly Uint8Array[]): BatchView[] {
  const batches: BatchView[] = [];
  for (const piece of pieces) {
    for (let at = 0; at < piece.length; ) {
      const batch = new BatchView(piece, at);
      batches.push(batch);
      at += batch.sizeInBytes;
    }
  }
  return batches;
}

export type { Offset };
