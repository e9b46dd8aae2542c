import protobuf from 'protobufjs';
import { expect, test } from 'vitest';
import { CorruptError } from '../../../src/codec/reader.ts';
import {
  fetchRequestCodec,
  fetchResponseCodec,
  produceRequestCodec,
} from '../../../src/rpc/log-codecs.ts';
import { loadProto } from '../../../src/rpc/proto-codec.ts';
import { MAX_SUBMESSAGES } from '../../../src/rpc/protobuf.ts';

// Round trips and damage are in test/property/log-codecs.test.ts.
const root = loadProto('varve/v1/log.proto');

test('entries inside entries are bounded all together', () => {
  // 30 partitions of 9,000 empty records: no list is too long, but all of them are too much.
  const partition = new Uint8Array(2 * 9_000).map((_, i) => (i % 2 === 0 ? (5 << 3) | 2 : 0));
  const request = (count: number): Uint8Array => {
    const writer = protobuf.Writer.create();
    for (let i = 0; i < count; i++) writer.uint32((4 << 3) | 2).bytes(partition);
    return writer.finish();
  };
  expect(produceRequestCodec.decode(request(20)).partitions).toHaveLength(20);
  expect(() => produceRequestCodec.decode(request(30))).toThrow(
    `more than ${MAX_SUBMESSAGES} messages are inside one`,
  );
});

test('the last of a field given twice counts', () => {
  const once = produceRequestCodec.encode({
    correlationId: 1,
    acks: 1,
    timeoutMs: 5,
    partitions: [],
  });
  const again = produceRequestCodec.encode({
    correlationId: 2,
    acks: 2,
    timeoutMs: 0,
    partitions: [],
  });
  expect(produceRequestCodec.decode(Buffer.concat([once, again]))).toEqual({
    correlationId: 2,
    acks: 2,
    timeoutMs: 5,
    partitions: [],
  });
});

test('a known number with another wire type is an unknown field', () => {
  const wrong = protobuf.Writer.create()
    .uint32((1 << 3) | 2)
    .string('x')
    .finish();
  expect(produceRequestCodec.decode(wrong).correlationId).toBe(0);
});

test('records are a view into the message, not a copy', () => {
  const records = new Uint8Array(1000).fill(7);
  const encoded = produceRequestCodec.encode({
    correlationId: 1,
    acks: 1,
    timeoutMs: 0,
    partitions: [{ topic: 't', partition: 0, topicId: new Uint8Array(0), records }],
  });
  const decoded = produceRequestCodec.decode(encoded).partitions[0]!.records;
  expect(decoded).toEqual(records);
  expect(decoded.buffer).toBe(encoded.buffer);
});

test('numbers beyond 2^53 are refused, not rounded', () => {
  const type = root.lookupType('varve.v1.FetchResponse');
  const message = type.fromObject({ partitions: [{ highWatermark: '9007199254740993' }] });
  const encoded = type.encode(message).finish();
  expect(() => fetchResponseCodec.decode(encoded)).toThrow('a 64-bit number is beyond 2^53');
});

test('a reader of ten thousand partitions can say so in one request', () => {
  const position = { topic: 'orders', topicId: new Uint8Array(16), offset: 5, leaderEpoch: 1 };
  const request = {
    correlationId: 1,
    creditBytes: 1,
    isolationLevel: 1,
    maxPartitionBytes: 0,
    stops: [],
    positions: Array.from({ length: 10_000 }, (_, partition) => ({ ...position, partition })),
  } as const;
  const decoded = fetchRequestCodec.decode(fetchRequestCodec.encode(request));
  expect(decoded.positions).toHaveLength(10_000);
});

test('many small parts are refused before they take memory', () => {
  const entry = protobuf.Writer.create();
  for (let i = 0; i < 3; i++) entry.uint32((3 << 3) | 2).bytes(new Uint8Array(1));
  const request = protobuf.Writer.create();
  for (let i = 0; i < 10_000; i++) request.uint32((5 << 3) | 2).bytes(entry.finish());
  expect(() => fetchRequestCodec.decode(request.finish())).toThrow('too many parts');
});

test('groups are refused', () => {
  for (const wireType of [3, 4, 6, 7]) {
    const encoded = new Uint8Array([(15 << 3) | wireType, 0]);
    expect(() => produceRequestCodec.decode(encoded)).toThrow(CorruptError);
  }
});

test('large records are handed on as they are, unless they would keep much larger memory', () => {
  const large = new Uint8Array(20_000).fill(1);
  const part = new Uint8Array(100_000).fill(2).subarray(0, 20_000);
  const place = { topic: 't', partition: 1, correlationId: 2, error: undefined, plainRecords: [] };
  const marks = { highWatermark: 3, lastStableOffset: 3, logStartOffset: 0 };
  const records = [new Uint8Array([5]), large, part, new Uint8Array([6]), large];
  const message = { partitions: [{ ...place, ...marks, records }] };
  const pieces = fetchResponseCodec.encodePieces!(message);
  expect(pieces.filter((piece) => piece === large)).toHaveLength(2);
  expect(pieces.some(({ buffer }) => buffer === part.buffer)).toBe(false);
  expect(Buffer.concat(pieces).equals(fetchResponseCodec.encode(message))).toBe(true);
  const [read] = fetchResponseCodec.decode(Buffer.concat(pieces)).partitions;
  expect(Buffer.concat(read!.records).equals(Buffer.concat(records))).toBe(true);
});
