import { Compression, type CompressionName } from '../codec/compression.ts';
import { Acks } from '../rpc/log-messages.ts';
import type { AdmissionSettings } from './admission.ts';
import { argumentError } from './errors.ts';
import { milliseconds, oneOf, wholeNumber } from './options.ts';
import type { Partitioner } from './partitioner.ts';
import type { RecordAccumulatorSettings } from './record-accumulator.ts';
import type { SenderSettings } from './sender.ts';
import type { Serialization } from './serializer.ts';

export interface ProducerOptions<
  K extends Serialization = 'bytes',
  V extends Serialization = 'bytes',
> {
  /** How keys are written; `bytes` if not given. */
  readonly key?: K;
  /** How values are written; `bytes` if not given. */
  readonly value?: V;
  /**
   * How long a batch that is not full may wait for more records while the broker has others to answer,
   * in ms; 5 by default. When it has none, the batch leaves at once; while it has two requests to answer,
   * longer, until it has answered one.
   */
  readonly lingerMs?: number;
  /**
   * A batch is full at this size, before compression; 256 KiB by default. While as many batches of its
   * partition are unanswered as may be, it takes records up to four times that, but not beyond 1 MiB.
   */
  readonly batchBytes?: number;
  /** `none` by default. */
  readonly compression?: CompressionName;
  /**
   * `all` (the default): a record counts as stored when every in-sync replica has it; `leader`: when
   * the leader has it, and then the loss of that one broker can lose it.
   */
  readonly acks?: 'all' | 'leader';
  /**
   * True (the default): a record that is sent again after a lost answer is not stored twice. When that
   * cannot be known, `send` fails with OUTCOME_UNKNOWN. Without it, records may repeat and swap.
   */
  readonly idempotent?: boolean;
  /** After this time a record is given up, in ms; 120,000 by default. */
  readonly deliveryTimeoutMs?: number;
  /** How long a broker may take for one request, in ms; that of the client if not given. */
  readonly requestTimeoutMs?: number;
  /** Bytes of records that are not yet stored above which `send` waits; 32 MiB by default. */
  readonly bufferBytes?: number;
  /** Unanswered requests to one broker; 5 by default, and at most that if idempotent. */
  readonly maxInFlight?: number;
  /** Picks partitions instead of the built-in way: murmur2 of the key, sticky without one. */
  readonly partitioner?: Partitioner;
}

export type ProducerSettings = RecordAccumulatorSettings & SenderSettings & AdmissionSettings;

const MOST_MESSAGE_BYTES = 1024 * 1024;
/** So many times its size a batch may become while it cannot be sent. */
const MOST_GROWTH = 4;
/** Batches of one producer that a broker remembers, to recognise them when they come again. */
const REMEMBERED_BATCHES = 5;

/** What the client has found out before. */
export interface ProducerLimits {
  readonly requestTimeoutMs: number;
  /** Largest batch that a broker takes in one message. */
  readonly maxBatchBytes: number;
}

/** Checks the options and fills in what is not given. */
export function producerSettings(
  options: ProducerOptions<Serialization, Serialization>,
  limits: ProducerLimits,
): ProducerSettings {
  const { maxBatchBytes } = limits;
  const { lingerMs = 5, deliveryTimeoutMs = 120_000, acks = 'all', idempotent = true } = options;
  const { requestTimeoutMs = limits.requestTimeoutMs, compression = 'none' } = options;
  const { batchBytes = 256 * 1024, bufferBytes = 32 * 1024 * 1024, maxInFlight = 5 } = options;
  if (idempotent && maxInFlight > REMEMBERED_BATCHES) {
    throw argumentError(
      `maxInFlight is ${maxInFlight}; an idempotent producer can have ${REMEMBERED_BATCHES} at most, since brokers remember that many batches`,
    );
  }
  const fullBytes = Math.min(wholeNumber('batchBytes', batchBytes, { min: 1024 }), maxBatchBytes);
  const messageBytes = Math.min(MOST_MESSAGE_BYTES, maxBatchBytes);
  return {
    lingerMs: milliseconds('lingerMs', lingerMs, 0),
    deliveryTimeoutMs: milliseconds('deliveryTimeoutMs', deliveryTimeoutMs, 1),
    requestTimeoutMs: wholeNumber('requestTimeoutMs', requestTimeoutMs, {
      min: 1,
      max: 2 ** 31 - 1,
    }),
    acks: oneOf('acks', acks, ['all', 'leader']) === 'all' ? Acks.all : Acks.leader,
    isIdempotent: idempotent,
    compression: Compression[oneOf('compression', compression, compressions)],
    batchBytes: fullBytes,
    mostBatchBytes: Math.max(fullBytes, Math.min(MOST_GROWTH * fullBytes, messageBytes)),
    bufferBytes: wholeNumber('bufferBytes', bufferBytes, { min: 1024 }),
    maxInFlight: wholeNumber('maxInFlight', maxInFlight, { min: 1 }),
    messageBytes,
  };
}

const compressions = Object.keys(Compression) as CompressionName[];
