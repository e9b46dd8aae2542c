import type { Clock } from '../env/ports.ts';
import { type ErrorRow, Errors } from '../model/errors.ts';
import { type LeaderEpoch, NO_LEADER_EPOCH, offsetAfter, partitionName } from '../model/ids.ts';
import type { RequiredAcks } from '../replication/partition.ts';
import type { MemoryBudget } from './memory-budget.ts';
import type { PartitionLookup } from './partition-lookup.ts';

/** Batches for one partition; `records`, a view into a request, is taken over and written into. */
export interface ProduceItem {
  readonly topic: string;
  readonly partition: number;
  /** 16 bytes, or empty for "whatever topic has that name". */
  readonly topicId: Uint8Array;
  readonly records: Uint8Array;
}

/** What became of the batches for one partition. Numbers are -1 where there is nothing to say. */
export interface ProduceResult {
  row: ErrorRow;
  detail: string;
  baseOffset: number;
  logAppendTimeMs: number;
  logStartOffset: number;
  leaderId: number;
  leaderEpoch: LeaderEpoch;
}

/** What the batches of one partition cost in memory beside their bytes while they are unanswered. */
export const ITEM_OVERHEAD_BYTES = 512;

export interface ProduceOptions {
  readonly acks: RequiredAcks;
  /** How long the answer may wait for the batches to become safe. */
  readonly timeoutMs: number;
}

/**
 * The use case of appending. One answer an item, in order, when all are as safe as `acks` asks or
 * have failed.
 */
export class Produce {
  readonly #clock: Clock;
  readonly #lookup: PartitionLookup;
  readonly #budget: MemoryBudget;

  constructor(clock: Clock, lookup: PartitionLookup, budget: MemoryBudget) {
    this.#clock = clock;
    this.#lookup = lookup;
    this.#budget = budget;
  }

  // Hot path: per item one lookup, one append and one waiter; no record is looked at.
  run(items: readonly ProduceItem[], options: ProduceOptions): Promise<ProduceResult[]> {
    let bytes = 0;
    for (const item of items) bytes += item.records.length + ITEM_OVERHEAD_BYTES;
    const budget = this.#budget;
    if (!budget.tryTake(bytes)) {
      const detail = `requests of ${budget.usedBytes} bytes are being worked on, ${budget.limitBytes} are allowed`;
      return Promise.resolve(items.map(() => failedProduce(Errors.BROKER_OVERLOADED, detail)));
    }
    return this.#appendAll(items, options).finally(() => budget.give(bytes));
  }

  /** Whoever waits here keeps no item alive: with it would stay the message that it is part of. */
  async #appendAll(
    items: readonly ProduceItem[],
    options: ProduceOptions,
  ): Promise<ProduceResult[]> {
    const answer = Promise.withResolvers<ProduceResult[]>();
    const results: ProduceResult[] = [];
    // One more than the items, so that answers that come at once do not end the request early.
    let pending = items.length + 1;
    const settle = (): void => {
      pending--;
      if (pending === 0) answer.resolve(results);
    };
    const deadlineMs = this.#clock.monotonicMs() + options.timeoutMs;
    for (const item of items) {
      results.push(this.#append(item, options.acks, deadlineMs, settle));
    }
    settle();
    return answer.promise;
  }

  #append(
    item: ProduceItem,
    acks: RequiredAcks,
    deadlineMs: number,
    settled: () => void,
  ): ProduceResult {
    const found = this.#lookup({
      topic: item.topic,
      partition: item.partition,
      topicId: item.topicId,
      leaderEpoch: NO_LEADER_EPOCH,
    });
    if ('refusal' in found) {
      settled();
      const { row, detail, leaderId, leaderEpoch } = found.refusal;
      return { ...failedProduce(row, detail), leaderId, leaderEpoch };
    }
    const { partition } = found;
    const outcome = partition.append(ownBytes(item.records), 'client');
    if (!outcome.ok) {
      settled();
      const result = failedProduce(outcome.row, outcome.detail);
      result.logStartOffset = partition.log.logStartOffset;
      return result;
    }
    const result = failedProduce(Errors.NONE, '');
    partition.whenSafe(acks, {
      offset: offsetAfter(outcome.lastOffset, 1),
      deadlineMs,
      settle: (row) => {
        if (row === null) {
          result.baseOffset = outcome.baseOffset;
          result.logAppendTimeMs = outcome.logAppendTimeMs;
          result.logStartOffset = partition.log.logStartOffset;
        } else {
          result.row = afterAppend(row);
          result.detail = `appended to ${partitionName(partition.topicPartition)}, but not known to be safe: ${row.message}`;
        }
        settled();
      },
    });
    return result;
  }
}

/**
 * Why something that was appended is not known to be safe. By UNKNOWN_TOPIC_OR_PARTITION producers know
 * that nothing was: it is answered by the look-up alone, never when the topic goes away after the append.
 */
const afterAppend = (row: ErrorRow): ErrorRow =>
  row === Errors.UNKNOWN_TOPIC_OR_PARTITION ? Errors.NOT_LEADER_OR_FOLLOWER : row;

/** A view may keep at most so many times its own size in memory. */
const MAX_WASTE = 4;

/**
 * The log keeps batches in memory for long, and with a view the whole message that it is part of: a small
 * part of a message is copied out of it (DESIGN D15).
 */
const ownBytes = (records: Uint8Array): Uint8Array =>
  records.buffer.byteLength > records.length * MAX_WASTE ? records.slice() : records;

/** What becomes of batches that are not appended. */
export function failedProduce(row: ErrorRow, detail: string): ProduceResult {
  return {
    row,
    detail,
    baseOffset: -1,
    logAppendTimeMs: -1,
    logStartOffset: -1,
    leaderId: -1,
    leaderEpoch: NO_LEADER_EPOCH,
  };
}
