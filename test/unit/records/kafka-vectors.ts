import { readFileSync } from 'node:fs';
import type { CompressionName } from '../../../src/codec/compression.ts';

/** What Kafka's own reader says of a batch (`test/fixtures/record-batches/README.md`). */
export interface KafkaBatch {
  readonly name: string;
  /** Where it begins in `kafkaBytes`. */
  readonly position: number;
  readonly sizeInBytes: number;
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly leaderEpoch: number;
  readonly crc: number;
  readonly compression: CompressionName;
  readonly timestampType: 'create' | 'append';
  readonly baseTimestamp: number;
  readonly maxTimestamp: number;
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly lastSequence: number;
  readonly isTransactional: boolean;
  readonly isControl: boolean;
  readonly deleteHorizonMs: number;
  readonly recordCount: number;
  /** Index into the lists of records. */
  readonly records: number;
}

export interface KafkaRecord {
  readonly offsetDelta: number;
  readonly timestamp: number;
  /** In hex; values above 100,000 bytes are `sha256:` and their digest. */
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: readonly (readonly [key: string, value: string | null])[];
}

interface KafkaVectors {
  readonly recordLists: readonly (readonly KafkaRecord[])[];
  readonly batches: readonly KafkaBatch[];
  readonly lz4Frame: string;
  readonly murmur2: readonly { key: string; hash: number; partitionOf7: number }[];
}

const fixture = (name: string): Uint8Array =>
  readFileSync(new URL(`../../fixtures/record-batches/${name}`, import.meta.url));

/** A fresh copy of all batches: some tests write into them. */
export const kafkaBytes = (): Uint8Array => new Uint8Array(fixture('batches.bin'));

export const kafkaVectors = JSON.parse(
  new TextDecoder().decode(fixture('vectors.json')),
) as KafkaVectors;

export const linkedBlocksFrame = (): Uint8Array => fixture('linked-blocks.lz4');

export function kafkaBatch(name: string): KafkaBatch {
  const batch = kafkaVectors.batches.find((candidate) => candidate.name === name);
  if (batch === undefined) throw new Error(`the fixtures have no batch named ${name}`);
  return batch;
}

export const kafkaRecords = (batch: KafkaBatch): readonly KafkaRecord[] =>
  kafkaVectors.recordLists[batch.records]!;

/** The value of the `large` records: more than one block of every codec. */
export const LARGE_VALUE_SHA256 =
  'cc0a52b4d05778255188070f31016cbd246a9790d2e50665f9e7d049a15c88cb';
