import type { Timers } from '../../src/env/ports.ts';
import { type ErrorRow, Errors } from '../../src/model/errors.ts';
import { leaderEpoch, offset } from '../../src/model/ids.ts';
import { BatchView } from '../../src/records/batch-view.ts';
import { RecordCursor } from '../../src/records/record-cursor.ts';
import { splitBatches } from '../../src/records/validate-batch.ts';
import { adminMethods } from '../../src/rpc/admin-service.ts';
import { rpcStatusOfRow, toErrorMessage } from '../../src/rpc/error-message.ts';
import { InProcessTransport } from '../../src/rpc/in-process-transport.ts';
import type {
  FetchPosition,
  FetchRequest,
  FetchResponse,
  ProducedPartition,
  ProduceRequest,
  ProduceResponse,
} from '../../src/rpc/log-messages.ts';
import { fetchMethod, produceMethod } from '../../src/rpc/log-service.ts';
import { HandlerTable, type TypedStream } from '../../src/rpc/method.ts';
import type { Listener } from '../../src/rpc/transport.ts';

/** What a fake broker does with a request to produce. */
export type ProduceAction =
  | 'answer'
  /** Ends the stream: before anything is stored, or after it is. */
  | 'drop before'
  | 'drop after'
  /** Never answers: without storing anything, or after. */
  | 'ignore'
  | 'store and ignore'
  | { readonly delayMs: number }
  | { readonly error: ErrorRow }
  | { readonly storeThenError: ErrorRow };

/** A record as it was stored. */
export interface StoredRecord {
  readonly offset: number;
  readonly key: string | null;
  readonly value: string | null;
  readonly timestampMs: number;
}

export interface FakeClusterOptions {
  readonly nodes?: number;
  readonly produceCreditBytes?: number;
  readonly maxMessageBytes?: number;
}

const MAX_SEQUENCE = 2 ** 31;

/** A partition that stores what it is given by Kafka's rules for idempotent producers. */
export class FakePartition {
  leaderId: number;
  leaderEpoch = 0;
  logStartOffset = 0;
  nextOffset = 0;
  readonly batches: BatchView[] = [];
  /** Told when there is more to read. */
  readonly watchers = new Set<() => void>();
  readonly #producers = new Map<number, { epoch: number; last: BatchView[] }>();

  constructor(leaderId: number) {
    this.leaderId = leaderId;
  }

  /** The base offset, or why the batch is refused. */
  append(bytes: Uint8Array): number | ErrorRow {
    const batch = new BatchView(bytes.slice(), 0);
    if (!batch.isCrcValid()) return Errors.CORRUPT_MESSAGE;
    if (batch.hasProducer) {
      const outcome = this.#checkSequence(batch);
      if (outcome !== undefined) return outcome;
    }
    const base = this.nextOffset;
    batch.assignOffset(offset(base), leaderEpoch(this.leaderEpoch));
    this.batches.push(batch);
    this.nextOffset += batch.lastOffsetDelta + 1;
    for (const watcher of this.watchers) watcher();
    return base;
  }

  /** Adds a batch as it is, whatever it says. */
  appendRaw(batch: BatchView): void {
    batch.assignOffset(offset(this.nextOffset), leaderEpoch(this.leaderEpoch));
    this.batches.push(batch);
    this.nextOffset += batch.lastOffsetDelta + 1;
    for (const watcher of this.watchers) watcher();
  }

  /** As after the expiry of producer ids. */
  forgetProducers(): void {
    this.#producers.clear();
  }

  records(): StoredRecord[] {
    return this.batches.flatMap((batch) => {
      const cursor = new RecordCursor(batch, { maxDecompressedBytes: 1 << 24 });
      const records: StoredRecord[] = [];
      while (cursor.advance()) {
        records.push({
          offset: cursor.offset,
          key: textOf(cursor.key),
          value: textOf(cursor.value),
          timestampMs: cursor.timestamp,
        });
      }
      return records;
    });
  }

  values(): (string | null)[] {
    return this.records().map(({ value }) => value);
  }

  #checkSequence(batch: BatchView): number | ErrorRow | undefined {
    const known = this.#producers.get(batch.producerId);
    if (known !== undefined && batch.producerEpoch < known.epoch)
      return Errors.INVALID_PRODUCER_EPOCH;
    if (known === undefined || batch.producerEpoch > known.epoch) {
      if (known !== undefined && batch.baseSequence !== 0)
        return Errors.OUT_OF_ORDER_SEQUENCE_NUMBER;
      this.#producers.set(batch.producerId, { epoch: batch.producerEpoch, last: [batch] });
      return undefined;
    }
    for (const one of known.last) {
      const isSame =
        one.baseSequence === batch.baseSequence && one.lastSequence === batch.lastSequence;
      if (isSame) return one.baseOffset;
    }
    const expected = (known.last.at(-1)!.lastSequence + 1) % MAX_SEQUENCE;
    if (batch.baseSequence !== expected) return Errors.OUT_OF_ORDER_SEQUENCE_NUMBER;
    known.last.push(batch);
    if (known.last.length > 5) known.last.shift();
    return undefined;
  }
}

const textOf = (bytes: Uint8Array | null): string | null =>
  bytes === null ? null : new TextDecoder().decode(bytes);

interface FakeTopic {
  topicId: string;
  readonly partitions: FakePartition[];
}

/** Brokers that share their partitions, on a network inside the process. */
export class FakeCluster {
  readonly transport: InProcessTransport;
  readonly addresses: string[] = [];
  readonly #timers: Timers;
  readonly #options: Required<FakeClusterOptions>;
  readonly #listeners = new Map<number, Listener>();
  readonly #topics = new Map<string, FakeTopic>();
  readonly #streams = new Set<{ nodeId: number; stream: TypedStream<never> }>();
  readonly #errors: unknown[] = [];
  #topicIds = 0;
  #producerIds = 1000;
  /** How a request is treated; the default stores and answers. */
  onProduce: (request: ProduceRequest, nodeId: number) => ProduceAction = () => 'answer';
  /** An error for a position that is asked for. */
  onFetch: (position: FetchPosition, nodeId: number) => ErrorRow | undefined = () => undefined;
  /** Called with the name of each unary call; what it throws is the answer. */
  onCall: (method: string, nodeId: number) => void = () => {};
  readonly produced: ProduceRequest[] = [];
  readonly fetches: FetchRequest[] = [];
  readonly calls: string[] = [];

  private constructor(timers: Timers, options: FakeClusterOptions) {
    this.#timers = timers;
    this.#options = {
      nodes: 1,
      produceCreditBytes: 32 * 1024 * 1024,
      maxMessageBytes: 16 * 1024 * 1024,
      ...options,
    };
    const onUnexpectedError = (error: unknown): void => {
      this.#errors.push(error);
    };
    this.transport = new InProcessTransport({ onUnexpectedError }, timers);
  }

  static async start(timers: Timers, options: FakeClusterOptions = {}): Promise<FakeCluster> {
    const cluster = new FakeCluster(timers, options);
    for (let nodeId = 1; nodeId <= cluster.#options.nodes; nodeId++) {
      cluster.addresses.push(`node-${nodeId}:9095`);
      await cluster.startNode(nodeId);
    }
    return cluster;
  }

  /** What handlers, and clients in callbacks, threw and should not have. */
  get errors(): readonly unknown[] {
    return this.#errors;
  }

  async startNode(nodeId: number): Promise<void> {
    const listener = await this.transport.listen(`node-${nodeId}:9095`, this.#handlers(nodeId), {
      maxMessageBytes: this.#options.maxMessageBytes,
      maxStreamsPerConnection: 100,
    });
    this.#listeners.set(nodeId, listener);
  }

  /** The node is gone at once. */
  async stopNode(nodeId: number): Promise<void> {
    const listener = this.#listeners.get(nodeId);
    this.#listeners.delete(nodeId);
    await listener?.close(0);
  }

  addTopic(name: string, partitionCount = 1): FakeTopic {
    const topicId = Buffer.from(new Uint8Array(16).fill(++this.#topicIds)).toString('base64url');
    const topic: FakeTopic = { topicId, partitions: [] };
    for (let i = 0; i < partitionCount; i++) {
      topic.partitions.push(new FakePartition((i % this.#options.nodes) + 1));
    }
    this.#topics.set(name, topic);
    return topic;
  }

  removeTopic(name: string): void {
    this.#topics.delete(name);
  }

  partition(topic: string, partition = 0): FakePartition {
    const found = this.#topics.get(topic)?.partitions[partition];
    if (found === undefined) throw new Error(`the fake cluster has no ${topic}-${partition}`);
    return found;
  }

  moveLeader(topic: string, partition: number, leaderId: number): void {
    const moved = this.partition(topic, partition);
    moved.leaderId = leaderId;
    moved.leaderEpoch++;
  }

  /** Cuts all streams of a node that are open. */
  dropStreams(nodeId: number): void {
    for (const open of [...this.#streams]) {
      if (open.nodeId === nodeId) open.stream.fail(rpcStatusOfRow(Errors.NETWORK_EXCEPTION));
    }
  }

  get openStreams(): number {
    return this.#streams.size;
  }

  find(
    name: string,
    topicId: Uint8Array,
    partition: number,
    nodeId: number,
  ): FakePartition | ErrorRow {
    const topic = this.#topics.get(name);
    const found = topic?.partitions[partition];
    if (topic === undefined || found === undefined) return Errors.UNKNOWN_TOPIC_OR_PARTITION;
    const isOther =
      topicId.length > 0 && Buffer.from(topicId).toString('base64url') !== topic.topicId;
    if (isOther) return Errors.INCONSISTENT_TOPIC_ID;
    return found.leaderId === nodeId ? found : Errors.NOT_LEADER_OR_FOLLOWER;
  }

  #handlers(nodeId: number): HandlerTable {
    const table = new HandlerTable();
    this.#onAdminCalls(table, nodeId);
    table.onStream(produceMethod, (stream) => {
      const open = this.#opened(nodeId, stream);
      const creditBytes = this.#options.produceCreditBytes;
      stream.send({ correlationId: 0, creditBytes, partitions: [] });
      return {
        onMessage: (request) => this.#onProduceRequest(request, nodeId, stream),
        onDrain() {},
        onEnd: () => stream.end(),
        onClose: () => this.#streams.delete(open),
      };
    });
    table.onStream(fetchMethod, (stream) => {
      const open = this.#opened(nodeId, stream);
      const session = new FakeFetch(this, nodeId, stream, this.#timers);
      return {
        onMessage: (request) => {
          this.fetches.push(request);
          session.onRequest(request);
        },
        onDrain() {},
        onEnd: () => stream.end(),
        onClose: () => {
          this.#streams.delete(open);
          session.close();
        },
      };
    });
    return table;
  }

  #opened(
    nodeId: number,
    stream: TypedStream<never>,
  ): { nodeId: number; stream: TypedStream<never> } {
    const open = { nodeId, stream };
    this.#streams.add(open);
    return open;
  }

  #onAdminCalls(table: HandlerTable, nodeId: number): void {
    const called = (method: string): void => {
      this.calls.push(method);
      this.onCall(method, nodeId);
    };
    table.onCall(adminMethods.getCapabilities, async () => {
      called('GetCapabilities');
      const { maxMessageBytes } = this.#options;
      return { serverVersion: '0', clusterId: 'fake', nodeId, maxMessageBytes, features: [] };
    });
    table.onCall(adminMethods.allocateProducerId, async () => {
      called('AllocateProducerId');
      return { producerId: this.#producerIds++, producerEpoch: 0 };
    });
    table.onCall(adminMethods.describeTopics, async ({ names }) => {
      called('DescribeTopics');
      return { topics: names.map((name) => this.#describe(name)), brokers: this.#brokers() };
    });
    table.onCall(adminMethods.describeCluster, async () => {
      called('DescribeCluster');
      return { clusterId: 'fake', controllerId: 1, brokers: this.#brokers() };
    });
    table.onCall(adminMethods.createTopics, async ({ topics }) => {
      called('CreateTopics');
      return {
        topics: topics.map(({ name, partitionCount }) => {
          const exists = this.#topics.has(name);
          const topicId = exists ? '' : this.addTopic(name, partitionCount || 1).topicId;
          const error = exists ? toErrorMessage(Errors.TOPIC_ALREADY_EXISTS) : undefined;
          return { name, topicId, partitionCount, replicationFactor: 1, error };
        }),
      };
    });
    table.onCall(adminMethods.listOffsets, async ({ partitions }) => {
      called('ListOffsets');
      return {
        partitions: partitions.map(({ topic, partition, earliest, timestampMs }) => {
          const found = this.#topics.get(topic)?.partitions[partition];
          const answer = { topic, partition, offset: -1, timestampMs: -1, leaderEpoch: -1 };
          if (found === undefined) {
            return { ...answer, error: toErrorMessage(Errors.UNKNOWN_TOPIC_OR_PARTITION) };
          }
          if (earliest) return { ...answer, offset: found.logStartOffset };
          if (timestampMs === undefined) return { ...answer, offset: found.nextOffset };
          const record = found.records().find((one) => one.timestampMs >= timestampMs);
          return { ...answer, offset: record?.offset ?? -1 };
        }),
      };
    });
  }

  #brokers(): { nodeId: number; host: string; port: number; rack: string }[] {
    return [...this.#listeners.keys()].map((nodeId) => ({
      nodeId,
      host: `node-${nodeId}`,
      port: 9095,
      rack: '',
    }));
  }

  #describe(name: string) {
    const topic = this.#topics.get(name);
    if (topic === undefined) {
      const error = toErrorMessage(Errors.UNKNOWN_TOPIC_OR_PARTITION);
      return { name, error, topicId: '', internal: false, partitions: [] };
    }
    const partitions = topic.partitions.map(({ leaderId, leaderEpoch }, partition) => ({
      partition,
      leaderId,
      leaderEpoch,
      replicaIds: [leaderId],
      isrIds: [leaderId],
    }));
    return { name, topicId: topic.topicId, internal: false, partitions };
  }

  #onProduceRequest(
    request: ProduceRequest,
    nodeId: number,
    stream: TypedStream<ProduceResponse>,
  ): void {
    this.produced.push(request);
    const action = this.onProduce(request, nodeId);
    const kind = typeof action === 'string' ? action : Object.keys(action)[0];
    if (kind === 'drop before') {
      stream.fail(rpcStatusOfRow(Errors.NETWORK_EXCEPTION));
      return;
    }
    if (kind === 'ignore') return;
    const refusal = typeof action === 'object' && 'error' in action ? action.error : undefined;
    const later =
      typeof action === 'object' && 'storeThenError' in action ? action.storeThenError : undefined;
    const partitions = request.partitions.map(({ topic, topicId, partition, records }) => {
      const found = this.find(topic, topicId, partition, nodeId);
      const place = { topic, partition };
      if (refusal !== undefined) return produced(place, refusal);
      if (!(found instanceof FakePartition)) {
        const leader = this.#topics.get(topic)?.partitions[partition];
        return produced(place, found, leader);
      }
      const outcome = found.append(records);
      if (later !== undefined) return produced(place, later);
      return typeof outcome === 'number' ? stored(place, outcome) : produced(place, outcome);
    });
    if (kind === 'drop after') {
      stream.fail(rpcStatusOfRow(Errors.NETWORK_EXCEPTION));
      return;
    }
    if (kind === 'store and ignore') return;
    const creditBytes = request.partitions.reduce((sum, { records }) => sum + records.length, 0);
    const response = { correlationId: request.correlationId, creditBytes, partitions };
    if (typeof action === 'object' && 'delayMs' in action) {
      this.#timers.after(action.delayMs, () => stream.send(response));
    } else {
      stream.send(response);
    }
  }
}

type Place = { readonly topic: string; readonly partition: number };

function stored(place: Place, baseOffset: number): ProducedPartition {
  return { ...produced(place, Errors.NONE), error: undefined, baseOffset };
}

function produced(place: Place, row: ErrorRow, leader?: FakePartition): ProducedPartition {
  return {
    ...place,
    error: toErrorMessage(row),
    baseOffset: -1,
    logAppendTimeMs: -1,
    logStartOffset: -1,
    leaderId: leader?.leaderId ?? -1,
    leaderEpoch: leader?.leaderEpoch ?? -1,
  };
}

interface FakeReader {
  readonly position: FetchPosition;
  readonly correlationId: number;
  readonly partition: FakePartition;
  nextOffset: number;
}

/** One fetch stream: sends a batch at a time while there is credit. */
class FakeFetch {
  readonly #cluster: FakeCluster;
  readonly #nodeId: number;
  readonly #stream: TypedStream<FetchResponse>;
  readonly #timers: Timers;
  readonly #readers = new Map<string, FakeReader>();
  readonly #wake = (): void => this.#pumpSoon();
  #creditBytes = 0;
  #isDue = false;
  #closed = false;

  constructor(
    cluster: FakeCluster,
    nodeId: number,
    stream: TypedStream<FetchResponse>,
    timers: Timers,
  ) {
    this.#cluster = cluster;
    this.#nodeId = nodeId;
    this.#stream = stream;
    this.#timers = timers;
  }

  onRequest(request: FetchRequest): void {
    this.#creditBytes += request.creditBytes;
    for (const { topic, partition } of request.stops) this.#readers.delete(`${topic}-${partition}`);
    for (const position of request.positions) this.#begin(position, request.correlationId);
    this.#pumpSoon();
  }

  close(): void {
    this.#closed = true;
    for (const { partition } of this.#readers.values()) partition.watchers.delete(this.#wake);
  }

  #begin(position: FetchPosition, correlationId: number): void {
    const { topic, topicId, partition } = position;
    const row = this.#cluster.onFetch(position, this.#nodeId);
    const found = row ?? this.#cluster.find(topic, topicId, partition, this.#nodeId);
    if (!(found instanceof FakePartition)) {
      this.#send(position, correlationId, [], found);
      return;
    }
    const isInside = position.offset >= found.logStartOffset && position.offset <= found.nextOffset;
    if (!isInside) {
      this.#send(position, correlationId, [], Errors.OFFSET_OUT_OF_RANGE);
      return;
    }
    found.watchers.add(this.#wake);
    const reader = { position, correlationId, partition: found, nextOffset: position.offset };
    this.#readers.set(`${topic}-${partition}`, reader);
    this.#send(position, correlationId, []);
  }

  #pumpSoon(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    this.#timers.nextTurn(() => {
      this.#isDue = false;
      if (!this.#closed) this.#pump();
    });
  }

  #pump(): void {
    let hasMore = true;
    while (hasMore && this.#creditBytes > 0) {
      hasMore = false;
      for (const reader of this.#readers.values()) {
        if (this.#creditBytes <= 0) return;
        const batch = reader.partition.batches.find((one) => one.nextOffset > reader.nextOffset);
        if (batch === undefined) continue;
        hasMore = true;
        reader.nextOffset = batch.nextOffset;
        this.#creditBytes -= batch.sizeInBytes;
        this.#send(reader.position, reader.correlationId, [batch.bytes]);
      }
    }
  }

  #send(
    { topic, partition }: FetchPosition,
    correlationId: number,
    records: readonly Uint8Array[],
    row?: ErrorRow,
  ): void {
    const found = this.#readers.get(`${topic}-${partition}`)?.partition;
    const highWatermark = row === undefined ? (found?.nextOffset ?? 0) : -1;
    this.#stream.send({
      partitions: [
        {
          topic,
          partition,
          correlationId,
          error: row === undefined ? undefined : toErrorMessage(row),
          highWatermark,
          lastStableOffset: highWatermark,
          logStartOffset: row === undefined ? (found?.logStartOffset ?? 0) : -1,
          records,
        },
      ],
    });
  }
}

/** Values `from` to below `to` as texts, which tests send to see order and completeness. */
export const numbers = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, i) => String(from + i));

/** The batches in a request, for what their headers say. */
export const batchesOf = (request: ProduceRequest): BatchView[] =>
  request.partitions.flatMap(({ records }) => splitBatches(records));
