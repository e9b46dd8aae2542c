import type { Timer } from '../env/ports.ts';
import { rowOfRpcStatus } from '../rpc/error-message.ts';
import type { ProducedPartition } from '../rpc/log-messages.ts';
import type { RpcStatus } from '../rpc/transport.ts';
import type { Logger } from '../telemetry/logger.ts';
import { retryMs } from './backoff.ts';
import type { BrokerChannels } from './broker-channels.ts';
import type { ClientEnv } from './client-env.ts';
import type { ClusterMetadata } from './cluster-metadata.ts';
import { errorOfMessage, errorOfStatus, type VarveError } from './errors.ts';
import { LeaderFinder } from './leader-finder.ts';
import type { PartitionQueue } from './partition-queue.ts';
import {
  ProduceConnection,
  type ProduceConnectionSettings,
  type ProduceEntry,
} from './produce-connection.ts';
import { mayHaveStored, reactionTo } from './produce-reactions.ts';
import type { ProducerIds } from './producer-ids.ts';
import { Reconnects } from './reconnects.ts';
import type { RecordAccumulator } from './record-accumulator.ts';

export interface SenderSettings extends ProduceConnectionSettings {
  /** Batches that go the same way share a message up to this size (DESIGN D5). */
  readonly messageBytes: number;
}

/** Batches in one message: brokers take no more than 10,000. */
const MAX_ENTRIES = 1000;

export interface SenderParts {
  readonly channels: BrokerChannels;
  readonly metadata: ClusterMetadata;
  readonly accumulator: RecordAccumulator;
  /** `undefined` for a producer that is not idempotent. */
  readonly ids: ProducerIds | undefined;
  readonly logger: Logger;
}

/**
 * Brings batches to the leaders of their partitions: once a turn of the event loop in which something
 * happened, and when a time has come (`#pump`).
 */
export class Sender {
  readonly #settings: SenderSettings;
  readonly #env: ClientEnv;
  readonly #parts: SenderParts;
  readonly #leaders: LeaderFinder;
  readonly #connections = new Map<number, ProduceConnection>();
  readonly #reconnects: Reconnects;
  readonly #unlisten: () => void;
  #turnIsDue = false;
  #timer: Timer | undefined;
  /** When `#timer` fires. */
  #timerAtMs = Number.POSITIVE_INFINITY;
  #closed = false;

  constructor(settings: SenderSettings, env: ClientEnv, parts: SenderParts) {
    this.#settings = settings;
    this.#env = env;
    this.#parts = parts;
    this.#leaders = new LeaderFinder(env, parts.metadata);
    this.#reconnects = new Reconnects(env.random);
    this.#unlisten = parts.metadata.onChange(() => this.wake());
  }

  /** Looks, at the end of this turn of the event loop, at what can be sent. */
  wake(): void {
    if (this.#turnIsDue || this.#closed) return;
    this.#turnIsDue = true;
    this.#env.timers.nextTurn(() => {
      this.#turnIsDue = false;
      if (!this.#closed) this.#pump();
    });
  }

  /**
   * A batch was begun. To a leader that is busy it goes when it is full, or an answer has come: each of
   * a thousand partitions would have all of them looked through for nothing.
   */
  begun(queue: PartitionQueue): void {
    const { metadata, accumulator } = this.#parts;
    const leader = metadata.topic(queue.topic)?.partitions[queue.partition];
    const connection = leader === undefined ? undefined : this.#connections.get(leader.leaderId);
    if (connection?.isBusy !== true || accumulator.isFlushing) this.wake();
    else this.#wakeAt(queue.expiresAtMs, this.#env.clock.monotonicMs());
  }

  /** Fails what is not settled, and ends the streams. */
  async close(error: VarveError): Promise<void> {
    this.#closed = true;
    this.#unlisten();
    this.#timer?.cancel();
    for (const queue of this.#parts.accumulator.active) queue.failAll(error);
    await Promise.all(
      [...this.#connections.values()].map((connection) =>
        connection.isIdle && connection.isWelcomed ? connection.close() : connection.abort(),
      ),
    );
  }

  #pump(): void {
    const nowMs = this.#env.clock.monotonicMs();
    const { active } = this.#parts.accumulator;
    const ready = new Map<number, PartitionQueue[]>();
    let wakeMs = Number.POSITIVE_INFINITY;
    // A set hands out what is added to it during the walk, and each queue once.
    for (const queue of active) {
      wakeMs = Math.min(wakeMs, queue.expire(nowMs));
      if (queue.isEmpty) {
        active.delete(queue);
        continue;
      }
      const found = this.#leaders.find(queue.topic, queue.partition, nowMs);
      if (!('leaderId' in found)) {
        wakeMs = Math.min(wakeMs, found.againAtMs);
        this.#blame(queue, found.error, found.isFinal);
      } else if (!this.#hasIdentity(queue)) {
        wakeMs = Math.min(wakeMs, this.#parts.ids!.askAtMs);
      } else {
        wakeMs = Math.min(wakeMs, queue.wakeAtMs(nowMs));
        const queues = ready.get(found.leaderId);
        if (queues === undefined) ready.set(found.leaderId, [queue]);
        else queues.push(queue);
      }
    }
    for (const [leaderId, queues] of ready) {
      const connection = this.#connectionTo(leaderId, nowMs);
      if (connection !== undefined) this.#fill(connection, queues, nowMs);
      else wakeMs = Math.min(wakeMs, this.#reconnects.atMs(leaderId));
    }
    this.#wakeAt(wakeMs, nowMs);
  }

  /** Nothing can be sent for a partition: those who wait are told why, now or when time is up. */
  #blame(queue: PartitionQueue, error: VarveError | undefined, isFinal: boolean): void {
    if (error === undefined) return;
    if (isFinal) queue.failAll(error);
    else queue.blame(error);
  }

  /** False while there is no id to send under. */
  #hasIdentity(queue: PartitionQueue): boolean {
    const { ids } = this.#parts;
    if (ids === undefined || !queue.needsIdentity) return true;
    const { current } = ids;
    if (current !== undefined) {
      if (queue.adopt(current)) return true;
      ids.retire(current);
    }
    this.#blame(queue, ids.error, ids.error?.retriable === false);
    ids.ask();
    return false;
  }

  /** The stream to a node; `undefined` while it has to wait, until the time in `#reconnects`. */
  #connectionTo(nodeId: number, nowMs: number): ProduceConnection | undefined {
    const open = this.#connections.get(nodeId);
    if (open !== undefined) return open;
    if (nowMs < this.#reconnects.atMs(nodeId)) return undefined;
    const channel = this.#parts.channels.channelOf(nodeId);
    if (channel === undefined) {
      this.#reconnects.postpone(nodeId, nowMs);
      this.#refreshTopicsOf(nodeId);
      return undefined;
    }
    const connection = new ProduceConnection(this.#settings, this.#env, channel, {
      onAnswer: (entries, answers) => this.#answered(entries, answers),
      onRoom: () => {
        if (connection.isWelcomed) this.#reconnects.reached(nodeId);
        this.wake();
      },
      onLost: (unanswered, status) => this.#lost(nodeId, unanswered, status),
    });
    this.#connections.set(nodeId, connection);
    return connection;
  }

  /** Sends what these queues have ready, several batches a message, as long as there is room. */
  #fill(connection: ProduceConnection, queues: readonly PartitionQueue[], nowMs: number): void {
    const { accumulator, metadata } = this.#parts;
    for (;;) {
      const { isIdle: leaderIsIdle, isBusy: leaderIsBusy } = connection;
      const urgency = { isFlushing: accumulator.isFlushing, leaderIsIdle, leaderIsBusy };
      const entries: ProduceEntry[] = [];
      let bytes = 0;
      for (const queue of queues) {
        const batch = queue.next(nowMs, urgency);
        if (batch === undefined) continue;
        const total = bytes + batch.sizeInBytes;
        const isFull = total > this.#settings.messageBytes || entries.length === MAX_ENTRIES;
        if (entries.length > 0 && isFull) continue;
        if (!connection.hasRoomFor(entries.length + 1, total)) continue;
        accumulator.take(queue, batch);
        const topicId = metadata.topic(queue.topic)!.topicIdBytes;
        entries.push({ queue, batch, topicId });
        bytes += batch.sizeInBytes;
      }
      if (entries.length === 0) return;
      connection.send(entries);
    }
  }

  #answered(entries: readonly ProduceEntry[], answers: readonly ProducedPartition[]): void {
    const nowMs = this.#env.clock.monotonicMs();
    for (let i = 0; i < entries.length; i++) {
      const { queue, batch } = entries[i]!;
      const answer = answers[i]!;
      if (answer.error === undefined) queue.stored(batch, answer, nowMs);
      else this.#refused(queue, batch, answer, nowMs);
    }
  }

  #refused(
    queue: PartitionQueue,
    batch: ProduceEntry['batch'],
    answer: ProducedPartition,
    nowMs: number,
  ): void {
    const message = answer.error!;
    const reaction = reactionTo(message);
    if (reaction === 'stored') {
      queue.stored(batch, answer, nowMs);
      return;
    }
    const { topic, partition } = queue;
    const error = errorOfMessage(message, `${topic}-${partition}`);
    this.#parts.logger.debug({ topic, partition, code: error.code }, 'batch refused');
    const { leaderId, leaderEpoch } = answer;
    const knowsLeader =
      reaction === 'refresh' &&
      this.#parts.metadata.learnLeader(topic, partition, { leaderId, leaderEpoch });
    if (reaction === 'refresh' && !knowsLeader) void this.#parts.metadata.refresh(topic);
    const atOnce = knowsLeader || reaction === 'split' || reaction === 'fail';
    const waitMs = atOnce ? 0 : retryMs(queue.attempts, this.#env.random);
    const mayBeStored = mayHaveStored(message);
    queue.refused(batch, { error, reaction, mayBeStored, retryAtMs: nowMs + waitMs });
  }

  #lost(nodeId: number, unanswered: readonly ProduceEntry[], status: RpcStatus): void {
    const nowMs = this.#env.clock.monotonicMs();
    const row = rowOfRpcStatus(status);
    this.#connections.delete(nodeId);
    const atMs = this.#reconnects.postpone(nodeId, nowMs);
    if (this.#closed) return;
    this.#parts.logger.info({ nodeId, code: row.name, reason: status.message }, 'stream lost');
    const error = errorOfStatus(status, this.#parts.channels.streamName(nodeId));
    // The broker itself may be at fault, and a repetition does no harm.
    const isPassing = row.retriable || row.name === 'UNKNOWN_SERVER_ERROR' || row.name === 'NONE';
    for (const { queue, batch } of unanswered) {
      void this.#parts.metadata.refresh(queue.topic);
      const reaction = isPassing ? 'refresh' : 'fail';
      queue.refused(batch, { error, reaction, mayBeStored: true, retryAtMs: atMs });
    }
    // Refused although nothing was under way: it is the stream that is refused, for good.
    if (!isPassing && unanswered.length === 0) this.#failAllTo(nodeId, error);
    if (unanswered.length === 0) this.#refreshTopicsOf(nodeId);
    this.wake();
  }

  #failAllTo(nodeId: number, error: VarveError): void {
    for (const queue of this.#parts.accumulator.active) {
      const leader = this.#parts.metadata.topic(queue.topic)?.partitions[queue.partition];
      if (leader?.leaderId === nodeId) queue.failAll(error);
    }
  }

  /** The node may be gone, and its partitions led by others. */
  #refreshTopicsOf(nodeId: number): void {
    const { accumulator, metadata } = this.#parts;
    for (const queue of accumulator.active) {
      const leader = metadata.topic(queue.topic)?.partitions[queue.partition];
      if (leader?.leaderId === nodeId) void metadata.refresh(queue.topic);
    }
  }

  #wakeAt(atMs: number, nowMs: number): void {
    // A timer that fires too early does no harm, and making one each turn would cost.
    if (this.#timerAtMs > nowMs && this.#timerAtMs <= atMs) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#timerAtMs = atMs;
    if (atMs === Number.POSITIVE_INFINITY) return;
    this.#timer = this.#env.timers.after(Math.max(0, atMs - nowMs), () => {
      this.#timerAtMs = Number.POSITIVE_INFINITY;
      this.wake();
    });
  }
}
