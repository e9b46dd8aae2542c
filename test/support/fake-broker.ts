import type { Timers } from '../../src/env/ports.ts';
import { type ErrorRow, Errors } from '../../src/model/errors.ts';
import { adminMethods } from '../../src/rpc/admin-service.ts';
import { rpcStatusOfRow, toErrorMessage } from '../../src/rpc/error-message.ts';
import { InProcessTransport } from '../../src/rpc/in-process-transport.ts';
import type {
  FetchPosition,
  FetchRequest,
  ProducedPartition,
  ProduceRequest,
  ProduceResponse,
} from '../../src/rpc/log-messages.ts';
import { fetchMethod, produceMethod } from '../../src/rpc/log-service.ts';
import { HandlerTable, type TypedStream } from '../../src/rpc/method.ts';
import type { Listener } from '../../src/rpc/transport.ts';
import { FakeFetch, type FetchHost } from './fake-broker-fetch.ts';
import { FakePartition } from './fake-broker-partition.ts';
import { roomyListener } from './listen-options.ts';

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

export interface FakeClusterOptions {
  readonly nodes?: number;
  readonly produceCreditBytes?: number;
  readonly maxMessageBytes?: number;
}

interface FakeTopic {
  topicId: string;
  readonly partitions: FakePartition[];
}

/** Brokers that share their partitions, on a network inside the process. */
export class FakeCluster implements FetchHost {
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
  /** How long records are under way to a reader. */
  fetchLatencyMs = 0;
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
      ...roomyListener,
      maxMessageBytes: this.#options.maxMessageBytes,
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

  open(position: FetchPosition, nodeId: number): FakePartition | ErrorRow {
    const { topic, topicId, partition } = position;
    return this.onFetch(position, nodeId) ?? this.#find(topic, topicId, partition, nodeId);
  }

  #find(
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
          const found = this.#find(topic, new Uint8Array(0), partition, nodeId);
          const answer = { topic, partition, offset: -1, timestampMs: -1, leaderEpoch: -1 };
          if (!(found instanceof FakePartition)) return { ...answer, error: toErrorMessage(found) };
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
      const found = this.#find(topic, topicId, partition, nodeId);
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
