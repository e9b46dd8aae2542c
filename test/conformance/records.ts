import { deepStrictEqual } from 'node:assert/strict';
import { connect } from '../../src/client/main.ts';
import type { CompressionName } from '../../src/codec/compression.ts';

/** A record as it travels to and from programs in other languages: bytes as base64. */
export interface PortableRecord {
  readonly partition: number;
  readonly offset?: number;
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: readonly (readonly [name: string, value: string | null])[];
  readonly timestampMs: number;
}

export const PARTITIONS = 3;
const TIMESTAMP_MS = 1_700_000_000_000;

const base64 = (bytes: Uint8Array | null): string | null =>
  bytes === null ? null : Buffer.from(bytes).toString('base64');
const bytes = (text: string | null): Uint8Array | null =>
  text === null ? null : Buffer.from(text, 'base64');

/** Records of every shape: bytes of all values, empty, missing, long, repeated headers. */
export function sampleRecords(): PortableRecord[] {
  const everyByte = Uint8Array.from({ length: 256 }, (_, value) => value);
  const long = Buffer.alloc(300_000, 'a long value that compresses well, ');
  const values = [Buffer.from('hello'), everyByte, new Uint8Array(0), null, long];
  const keys = [null, new Uint8Array(0), Buffer.from('Schlüssel'), everyByte];
  const headers: PortableRecord['headers'][] = [
    [],
    [
      ['name', base64(Buffer.from('first'))],
      ['name', null],
      ['größe', base64(everyByte)],
    ],
  ];
  const records: PortableRecord[] = [];
  for (const value of values) {
    for (const key of keys) {
      for (const some of headers) {
        records.push({
          partition: records.length % PARTITIONS,
          key: base64(key),
          value: base64(value),
          headers: some,
          timestampMs: TIMESTAMP_MS + records.length,
        });
      }
    }
  }
  return records;
}

/** With the offsets that they get in a topic that was empty. */
export function numbered(records: readonly PortableRecord[]): PortableRecord[] {
  const next = Array<number>(PARTITIONS).fill(0);
  return records.map((record) => ({ ...record, offset: next[record.partition]!++ }));
}

export async function createTopic(address: string, name: string): Promise<void> {
  await using client = await connect({ brokers: [address] });
  await client.admin().createTopic({ name, partitionCount: PARTITIONS });
}

/** Writes records with our own client. */
export async function produceRecords(
  address: string,
  topic: string,
  compression: CompressionName,
  records: readonly PortableRecord[],
): Promise<void> {
  await using client = await connect({ brokers: [address] });
  await using producer = client.producer({ compression });
  const sent = records.map(({ partition, key, value, headers, timestampMs }) =>
    producer.send({
      ...{ topic, partition, timestampMs, key: bytes(key), value: bytes(value) },
      headers: headers.map(([name, each]) => ({ key: name, value: bytes(each) })),
    }),
  );
  await Promise.all(sent);
}

/** Writes the sample with our own client. */
export const produceSample = (
  address: string,
  topic: string,
  compression: CompressionName,
): Promise<void> => produceRecords(address, topic, compression, sampleRecords());

/** Reads a topic from start to end with our own client and compares it with the sample. */
export async function consumeSample(address: string, topic: string): Promise<void> {
  expectSample(await consumeRecords(address, topic));
}

/** Reads a topic to its end with our own client. */
export async function consumeRecords(
  address: string,
  topic: string,
  from: 'earliest' | { readonly timestampMs: number } = 'earliest',
): Promise<readonly PortableRecord[]> {
  await using client = await connect({ brokers: [address] });
  const consumer = client.consumer({ topics: [topic], from, until: 'end' });
  const records: PortableRecord[] = [];
  for await (const { partition, offset, key, value, headers, timestampMs } of consumer) {
    records.push({
      ...{ partition, offset, key: base64(key), value: base64(value), timestampMs },
      headers: headers.map((each) => [each.key, base64(each.value)]),
    });
  }
  return records;
}

/** Compares records that came from anywhere with the sample; partitions may come in any order. */
export function expectSample(records: readonly PortableRecord[]): void {
  expectRecords(records, numbered(sampleRecords()));
}

/** Compares records with their offsets; partitions may come in any order. */
export function expectRecords(
  actual: readonly PortableRecord[],
  expected: readonly PortableRecord[],
): void {
  const inOrder = (some: readonly PortableRecord[]): PortableRecord[] =>
    [...some].sort((a, b) => a.partition - b.partition || a.offset! - b.offset!);
  deepStrictEqual(inOrder(actual), inOrder(expected));
}
