import type { Timer } from '../env/ports.ts';
import { assert } from '../model/assert.ts';
import { Errors } from '../model/errors.ts';
import { partitionName } from '../model/ids.ts';
import type { ErrorMessage } from '../rpc/admin-messages.ts';
import { rowOfRpcStatus } from '../rpc/error-message.ts';
import type { FetchedPartition, FetchPosition } from '../rpc/log-messages.ts';
import type { RpcStatus } from '../rpc/transport.ts';
import type { Logger } from '../telemetry/logger.ts';
import { retryMs } from './backoff.ts';
import type { BrokerChannels } from './broker-channels.ts';
import type { ClientEnv } from './client-env.ts';
import type { ClusterMetadata } from './cluster-metadata.ts';
import type { ConsumerSettings } from './consumer-options.ts';
import { errorOfMessage, errorOfStatus, VarveError } from './errors.ts';
import { FetchBuffer } from './fetch-buffer.ts';
import { FetchConnection } from './fetch-connection.ts';
import { LeaderFinder } from './leader-finder.ts';
import type { OffsetLookup } from './offset-lookup.ts';
import type { PartitionReader, ReaderTable } from './partition-reader.ts';
import { PrefetchBudget } from './prefetch-budget.ts';
import { Reconnects } from './reconnects.ts';

export interface FetcherParts {
  readonly channels: BrokerChannels;
  readonly metadata: ClusterMetadata;
  readonly offsets: OffsetLookup;
  readonly logger: Logger;
}

const NO_BYTES = new Uint8Array(0);

/**
 * Fetches partitions ahead of who reads them: one stream a leader, opened again after a loss, with
 * the positions of all that is not being read.
 */
export class Fetcher {
  readonly #settings: ConsumerSettings;
  readonly #env: ClientEnv;
  readonly #parts: FetcherParts;
  readonly #readers: ReaderTable;
  /** What has arrived. */
  readonly buffer: FetchBuffer;
  readonly #leaders: LeaderFinder;
  readonly #budget: PrefetchBudget;
  readonly #connections = new Map<number, FetchConnection>();
  readonly #reconnects: Reconnects;
  readonly #unlisten: () => void;
  #turnIsDue = false;
  #timer: Timer | undefined;
  #closed = false;

  /** @param readers may grow; `wake` tells that they did, or that one was moved */
  constructor(
    settings: ConsumerSettings,
    env: ClientEnv,
    parts: FetcherParts,
    readers: ReaderTable,
  ) {
    this.#settings = settings;
    this.#env = env;
    this.#parts = parts;
    this.#readers = readers;
    this.#leaders = new LeaderFinder(env, parts.metadata);
    this.#reconnects = new Reconnects(env.random);
    this.#budget = new PrefetchBudget(settings.prefetchBytes);
    this.buffer = new FetchBuffer(settings.checkCrcs, (reader) =>
      reader.link?.connection.stop(reader),
    );
    this.#unlisten = parts.metadata.onChange(() => this.wake());
    this.wake();
  }

  /** True if all that was to be read has been taken. */
  get isFinished(): boolean {
    return this.#readers.all.every((reader) => reader.isFinished);
  }

  /** Stops reading a partition, and drops what was fetched of it and not taken. */
  stop(reader: PartitionReader): void {
    reader.link?.connection.stop(reader);
    this.buffer.drop(reader);
  }

  /** Looks, at the end of this turn of the event loop, for partitions that are not being read. */
  wake(): void {
    if (this.#turnIsDue || this.#closed) return;
    this.#turnIsDue = true;
    this.#env.timers.nextTurn(() => {
      this.#turnIsDue = false;
      if (!this.#closed) this.#position();
    });
  }

  /** Ends all streams; the readers stay where they are. */
  close(): void {
    this.#closed = true;
    this.#unlisten();
    this.#timer?.cancel();
    for (const connection of this.#connections.values()) connection.close();
    this.#connections.clear();
    for (const reader of this.#readers.all) reader.rewind();
    this.buffer.close();
  }

  /** Sends positions of readers that are not being read. */
  #position(): void {
    const nowMs = this.#env.clock.monotonicMs();
    const groups = new Map<FetchConnection, PartitionReader[]>();
    let wakeMs = Number.POSITIVE_INFINITY;
    for (const reader of this.#readers.all) {
      if (reader.link !== undefined || reader.isPaused || reader.isHalted || reader.isFinished) {
        continue;
      }
      const found = this.#connectionFor(reader, nowMs);
      if (typeof found === 'number') {
        wakeMs = Math.min(wakeMs, found);
        continue;
      }
      const group = groups.get(found);
      if (group === undefined) groups.set(found, [reader]);
      else group.push(reader);
    }
    for (const [connection, readers] of groups) {
      const ids = connection.begin(readers.map((reader) => this.#positionOf(reader)));
      for (const [at, reader] of readers.entries()) {
        reader.link = { connection, correlationId: ids[at]! };
      }
    }
    this.#closeUnneeded();
    // Only now, when it is known how many streams there are to share.
    this.#budget.grantAll();
    this.#timer?.cancel();
    this.#timer = undefined;
    if (wakeMs === Number.POSITIVE_INFINITY) return;
    this.#timer = this.#env.timers.after(Math.max(0, wakeMs - nowMs), () => this.wake());
  }

  /** The stream to the leader, or when to look again. */
  #connectionFor(reader: PartitionReader, nowMs: number): FetchConnection | number {
    const { topic, partition } = reader;
    if (nowMs < reader.retryAtMs) return reader.retryAtMs;
    // Before the leader is looked for: a topic made anew may not have the partition.
    const known = this.#parts.metadata.topic(topic);
    if (known !== undefined && known.topicId !== reader.topicId) {
      this.#fail(reader, madeAnew(topic));
      return Number.POSITIVE_INFINITY;
    }
    const found = this.#leaders.find(topic, partition, nowMs);
    if (!('leaderId' in found)) {
      if (found.isFinal) this.#fail(reader, found.error!);
      return found.isFinal ? Number.POSITIVE_INFINITY : found.againAtMs;
    }
    const { leaderId } = found;
    const open = this.#connections.get(leaderId);
    if (open !== undefined) return open;
    const reconnectMs = this.#reconnects.atMs(leaderId);
    if (nowMs < reconnectMs) return reconnectMs;
    const channel = this.#parts.channels.channelOf(leaderId);
    if (channel !== undefined) {
      const { readCommitted } = this.#settings;
      const connection = new FetchConnection(
        leaderId,
        { readCommitted, budget: this.#budget },
        channel,
        {
          onFetched: (from, fetched) => this.#fetched(from, fetched),
          onLost: (lost, status) => this.#lost(lost, status),
        },
      );
      this.#connections.set(leaderId, connection);
      return connection;
    }
    void this.#parts.metadata.refresh(topic);
    return this.#reconnects.postpone(leaderId, nowMs);
  }

  /** Streams to brokers that lead nothing any more would keep their share of the budget. */
  #closeUnneeded(): void {
    const leaders = new Set<number | undefined>();
    for (const { topic, partition, link } of this.#readers.all) {
      leaders.add(link?.connection.nodeId);
      leaders.add(this.#parts.metadata.topic(topic)?.partitions[partition]?.leaderId);
    }
    for (const [nodeId, connection] of this.#connections) {
      if (leaders.has(nodeId)) continue;
      this.#connections.delete(nodeId);
      connection.close();
    }
  }

  #positionOf(reader: PartitionReader): FetchPosition {
    const { topic, partition, fetchOffset: offset } = reader;
    const known = this.#parts.metadata.topic(topic)!;
    const { leaderEpoch } = known.partitions[partition]!;
    return { topic, partition, topicId: known.topicIdBytes, offset, leaderEpoch };
  }

  #fetched(connection: FetchConnection, fetched: FetchedPartition): void {
    const { topic, partition, correlationId, error } = fetched;
    const bytes = fetched.records[0] ?? NO_BYTES;
    const reader = this.#readers.get(topic, partition);
    const link = reader?.link;
    this.#reconnects.reached(connection.nodeId);
    if (link?.connection !== connection || link.correlationId !== correlationId) {
      // Asked for before a seek or a pause.
      connection.release(bytes.length);
    } else if (error !== undefined) {
      connection.release(bytes.length);
      this.#refused(reader!, error);
    } else if (bytes.length > 0) {
      this.#arrived(reader!, bytes, connection);
    }
  }

  #arrived(reader: PartitionReader, bytes: Uint8Array, connection: FetchConnection): void {
    try {
      this.buffer.push(reader, bytes, connection);
    } catch (error) {
      connection.release(bytes.length);
      connection.stop(reader);
      this.#fail(reader, error);
    }
  }

  #refused(reader: PartitionReader, message: ErrorMessage): void {
    const { topic, partition } = reader;
    this.#parts.logger.debug({ topic, partition, code: message.name }, 'partition refused');
    reader.link = undefined;
    if (message.code === Errors.OFFSET_OUT_OF_RANGE.code) {
      this.#outOfRange(reader, message);
    } else if (message.retriable && message.code !== Errors.CORRUPT_MESSAGE.code) {
      reader.retryAtMs = this.#env.clock.monotonicMs() + retryMs(reader.attempts, this.#env.random);
      reader.attempts++;
      void this.#parts.metadata.refresh(topic);
      this.wake();
    } else {
      this.#fail(reader, errorOfMessage(message, partitionName(reader)));
    }
  }

  #outOfRange(reader: PartitionReader, message: ErrorMessage): void {
    if (this.#settings.onOutOfRange === 'error') {
      const text = `${partitionName(reader)}: ${message.message}; read from another position, or choose one for such cases by option onOutOfRange`;
      this.#fail(reader, new VarveError('OFFSET_OUT_OF_RANGE', text));
      return;
    }
    reader.isHalted = true;
    // What was fetched before is still good and is read first.
    this.buffer.pushMark(reader, () => this.#reset(reader, this.#settings.onOutOfRange));
  }

  /** Moves a reader to one end of its partition. */
  #reset(reader: PartitionReader, to: 'error' | 'earliest' | 'latest'): void {
    assert(to !== 'error', 'only a chosen end is moved to');
    const partition = partitionName(reader);
    const { generation, position: from } = reader;
    const { readCommitted, requestTimeoutMs: timeoutMs } = this.#settings;
    this.#parts.offsets.find([reader], to, { readCommitted, timeoutMs }).then(
      ([offset]) => {
        // A seek may have decided otherwise meanwhile.
        if (this.#closed || reader.generation !== generation) return;
        this.#parts.logger.warn({ partition, from, to: offset }, 'position out of range, moved');
        reader.moveTo(offset!);
        this.wake();
      },
      (error: unknown) => {
        if (reader.generation === generation) this.#fail(reader, error);
      },
    );
  }

  /** The reader stops; the error comes to light after what was read before it. */
  #fail(reader: PartitionReader, error: unknown): void {
    if (this.#closed) return;
    reader.link = undefined;
    reader.isHalted = true;
    this.buffer.pushMark(reader, () => {
      throw error;
    });
  }

  #lost(connection: FetchConnection, status: RpcStatus): void {
    const { nodeId } = connection;
    // Nothing is to be done for one that was closed here.
    if (this.#closed || this.#connections.get(nodeId) !== connection) return;
    const nowMs = this.#env.clock.monotonicMs();
    const row = rowOfRpcStatus(status);
    this.#parts.logger.info({ nodeId, code: row.name, reason: status.message }, 'stream lost');
    if (connection.hasSpoken) this.#reconnects.reached(nodeId);
    this.#connections.delete(nodeId);
    const atMs = this.#reconnects.postpone(nodeId, nowMs);
    const isPassing = row.retriable || row === Errors.UNKNOWN_SERVER_ERROR || row === Errors.NONE;
    for (const reader of this.#readers.all) {
      if (reader.link?.connection !== connection) continue;
      reader.link = undefined;
      reader.retryAtMs = atMs;
      if (isPassing) void this.#parts.metadata.refresh(reader.topic);
      else this.#fail(reader, errorOfStatus(status, this.#parts.channels.streamName(nodeId)));
    }
    this.wake();
  }
}

const madeAnew = (topic: string): VarveError =>
  new VarveError(
    'INCONSISTENT_TOPIC_ID',
    `topic ${topic} was deleted and made anew while it was read: its offsets mean other records now; make a new consumer to read it`,
  );
