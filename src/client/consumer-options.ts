import { argumentError } from './errors.ts';
import { milliseconds, oneOf, partitionIndex, topicName, wholeNumber } from './options.ts';
import type { Serialization } from './serializer.ts';

/** A topic with all its partitions, also those it will get, or one partition of it. */
export type TopicChoice = string | { readonly topic: string; readonly partition?: number };

/**
 * Where to begin: at the first record there is, after the last one, at an offset, or at the first
 * record of a time or later (after the last one if there is none).
 */
export type StartPosition =
  | 'earliest'
  | 'latest'
  | { readonly offset: number }
  | { readonly timestampMs: number };

export interface ConsumerOptions<
  K extends Serialization = 'bytes',
  V extends Serialization = 'bytes',
> {
  /** What to read. */
  readonly topics: readonly TopicChoice[];
  /** Where to begin, in every partition; `latest` by default. */
  readonly from?: StartPosition;
  /** `end`: stop after the last record that was there at the start. Otherwise go on for ever. */
  readonly until?: 'end';
  /** How keys are read; `bytes` if not given. */
  readonly key?: K;
  /** How values are read; `bytes` if not given. */
  readonly value?: V;
  /** Bytes that may be fetched ahead of the reader, together; 8 MiB by default. */
  readonly prefetchBytes?: number;
  /** `read_uncommitted` by default, as in Kafka. */
  readonly isolation?: 'read_uncommitted' | 'read_committed';
  /**
   * What to do when the position is not in the partition, because the records there were deleted or
   * never were: fail (the default), or go on at the first or after the last record.
   */
  readonly onOutOfRange?: 'error' | 'earliest' | 'latest';
  /** Whether the checksum of each batch is computed; true by default. */
  readonly checkCrcs?: boolean;
  /** What the records of one compressed batch may come to; 64 MiB by default. */
  readonly maxDecompressedBytes?: number;
  /** How long the start may take to find topics and offsets, in ms; that of the client if not given. */
  readonly requestTimeoutMs?: number;
  /** Ends the iteration: it fails with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** Topics with the partitions that are to be read; `undefined` for all. */
export type Subscription = ReadonlyMap<string, readonly number[] | undefined>;

export interface ConsumerSettings {
  readonly subscription: Subscription;
  readonly from: StartPosition;
  readonly untilEnd: boolean;
  readonly prefetchBytes: number;
  readonly readCommitted: boolean;
  readonly onOutOfRange: 'error' | 'earliest' | 'latest';
  readonly checkCrcs: boolean;
  readonly maxDecompressedBytes: number;
  readonly requestTimeoutMs: number;
}

const MIB = 1024 * 1024;

/** Checks the options and fills in what is not given. */
export function consumerSettings(
  options: ConsumerOptions<Serialization, Serialization>,
  defaults: { readonly requestTimeoutMs: number },
): ConsumerSettings {
  const { from = 'latest', until, checkCrcs = true, onOutOfRange = 'error' } = options;
  const { prefetchBytes = 8 * MIB, maxDecompressedBytes = 64 * MIB } = options;
  const { isolation = 'read_uncommitted', requestTimeoutMs = defaults.requestTimeoutMs } = options;
  if (until !== undefined) oneOf('until', until, ['end']);
  oneOf('isolation', isolation, ['read_uncommitted', 'read_committed']);
  return {
    subscription: subscriptionOf(options.topics),
    from: startPosition(from),
    untilEnd: until === 'end',
    prefetchBytes: wholeNumber('prefetchBytes', prefetchBytes, { min: 1 }),
    readCommitted: isolation === 'read_committed',
    onOutOfRange: oneOf('onOutOfRange', onOutOfRange, ['error', 'earliest', 'latest']),
    checkCrcs,
    maxDecompressedBytes: wholeNumber('maxDecompressedBytes', maxDecompressedBytes, { min: 1 }),
    requestTimeoutMs: milliseconds('requestTimeoutMs', requestTimeoutMs, 1),
  };
}

function subscriptionOf(choices: readonly TopicChoice[]): Subscription {
  if (!Array.isArray(choices) || choices.length === 0) {
    throw argumentError('option `topics` is empty; name at least one topic');
  }
  const chosen = new Map<string, number[] | undefined>();
  for (const choice of choices as readonly TopicChoice[]) {
    const { topic, partition } = typeof choice === 'string' ? { topic: choice } : choice;
    const name = topicName(topic);
    if (partition === undefined) {
      chosen.set(name, undefined);
      continue;
    }
    const index = partitionIndex(partition, name);
    const others = chosen.get(name) ?? [];
    // All partitions are chosen already if the topic is there without a list.
    if (chosen.has(name) && chosen.get(name) === undefined) continue;
    if (!others.includes(index)) chosen.set(name, [...others, index]);
  }
  return chosen;
}

/** Checks a position that was given. */
export function startPosition(from: StartPosition): StartPosition {
  if (typeof from === 'string')
    return oneOf<'earliest' | 'latest'>('from', from, ['earliest', 'latest']);
  if (from !== null && typeof from === 'object') {
    if ('offset' in from) {
      return { offset: wholeNumber('an offset to read from', from.offset, { min: 0 }) };
    }
    if ('timestampMs' in from) {
      return {
        timestampMs: wholeNumber('a timestampMs to read from', from.timestampMs, { min: 0 }),
      };
    }
  }
  throw argumentError(
    `a position is 'earliest', 'latest', {offset} or {timestampMs}, not ${JSON.stringify(from)}`,
  );
}
