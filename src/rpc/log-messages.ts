import type { ErrorMessage } from './admin-messages.ts';

/**
 * The messages of `LogService` (`proto/varve/v1/log.proto`, documented there). They are the hot
 * path: their codecs are written by hand in `log-codecs.ts` (DESIGN D6). Decoded `records` are views
 * into the message: whoever keeps them longer than the request copies them.
 */
export const Acks = { unspecified: 0, all: 1, leader: 2 } as const;
export type Acks = (typeof Acks)[keyof typeof Acks];

export const IsolationLevel = { unspecified: 0, readUncommitted: 1, readCommitted: 2 } as const;
export type IsolationLevel = (typeof IsolationLevel)[keyof typeof IsolationLevel];

/** A record outside a batch. A missing key or value is none; an empty one is there. */
export interface PlainRecord {
  readonly key: Uint8Array | undefined;
  readonly value: Uint8Array | undefined;
  readonly headers: readonly PlainHeader[];
  readonly timestampMs: number;
  readonly offset: number;
}

/** An array, or records that are decoded while they are gone through. */
export interface PlainRecords extends Iterable<PlainRecord> {
  readonly length: number;
}

export interface PlainHeader {
  readonly key: string;
  readonly value: Uint8Array | undefined;
}

export interface ProduceRequest {
  readonly correlationId: number;
  readonly acks: Acks;
  readonly timeoutMs: number;
  readonly partitions: readonly ProducePartition[];
}

export interface ProducePartition {
  readonly topic: string;
  readonly partition: number;
  /** 16 bytes, or empty for "go by the name". */
  readonly topicId: Uint8Array;
  readonly records: Uint8Array;
  readonly plainRecords?: PlainRecords;
}

export interface ProduceResponse {
  readonly correlationId: number;
  readonly creditBytes: number;
  readonly partitions: readonly ProducedPartition[];
}

export interface ProducedPartition {
  readonly topic: string;
  readonly partition: number;
  readonly error: ErrorMessage | undefined;
  readonly baseOffset: number;
  readonly logAppendTimeMs: number;
  readonly logStartOffset: number;
  readonly leaderId: number;
  readonly leaderEpoch: number;
}

export interface FetchRequest {
  readonly correlationId: number;
  readonly creditBytes: number;
  readonly isolationLevel: IsolationLevel;
  readonly maxPartitionBytes: number;
  readonly positions: readonly FetchPosition[];
  readonly stops: readonly FetchStop[];
  readonly plainRecords?: boolean;
}

export interface FetchPosition {
  readonly topic: string;
  readonly partition: number;
  readonly topicId: Uint8Array;
  readonly offset: number;
  readonly leaderEpoch: number;
}

export interface FetchStop {
  readonly topic: string;
  readonly partition: number;
}

export interface FetchResponse {
  readonly partitions: readonly FetchedPartition[];
}

export interface FetchedPartition {
  readonly topic: string;
  readonly partition: number;
  readonly correlationId: number;
  readonly error: ErrorMessage | undefined;
  readonly highWatermark: number;
  readonly lastStableOffset: number;
  readonly logStartOffset: number;
  /** Whole batches in pieces, so that the broker need not join what it read; one piece decoded. */
  readonly records: readonly Uint8Array[];
  readonly plainRecords?: readonly PlainRecord[];
}
