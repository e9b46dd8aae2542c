import { totalLength } from '../codec/pieces.ts';
import { CorruptError } from '../codec/reader.ts';
import type { ErrorMessage } from './admin-messages.ts';
import { errorFieldSize, readError, writeError } from './error-codec.ts';
import type {
  Acks,
  FetchedPartition,
  FetchPosition,
  FetchRequest,
  FetchResponse,
  FetchStop,
  IsolationLevel,
  PlainRecord,
  PlainRecords,
  ProducedPartition,
  ProducePartition,
  ProduceRequest,
  ProduceResponse,
} from './log-messages.ts';
import type { MessageCodec } from './method.ts';
import {
  EncodedRecords,
  plainRecordsSize,
  readPlainRecord,
  writePlainRecords,
} from './plain-record-codec.ts';
import {
  boolFieldSize,
  bytesFieldSize,
  bytesTag,
  integerFieldSize,
  integerTag,
  messageFieldSize,
  optionalIntegerFieldSize,
  ProtobufReader,
  ProtobufWriter,
  requestHeapBytes,
  textFieldSize,
} from './protobuf.ts';

/**
 * The codecs of `proto/varve/v1/log.proto`, by hand (DESIGN D6): a first pass reckons the exact size,
 * a second writes into memory taken once; decoding copies no records.
 *
 * Hot path: no allocation beside the messages themselves and one array of sizes.
 *
 * As protobuf demands, fields come in any order, unknown ones are skipped (also known numbers with
 * another wire type), of a field given twice the last counts, and enums keep numbers that this version
 * does not know. One freedom is not taken: a submessage given twice is replaced, not merged.
 */

/** Most entries of one repeated field; `requestHeapBytes` bounds what all of them may take in memory. */
export const MAX_ENTRIES: number = 10_000;

const NO_BYTES: Uint8Array = new Uint8Array(0);
const NO_RECORDS: readonly PlainRecord[] = [];

export const produceRequestCodec: MessageCodec<ProduceRequest> = {
  encode(message) {
    const sizes: number[] = [];
    let size =
      integerFieldSize(message.correlationId) +
      integerFieldSize(message.acks) +
      integerFieldSize(message.timeoutMs);
    for (const partition of message.partitions) {
      size += entrySize(sizes, producePartitionSize(partition));
    }
    const writer = new ProtobufWriter(size);
    writer.integerField(1, message.correlationId);
    writer.integerField(2, message.acks);
    writer.integerField(3, message.timeoutMs);
    for (let i = 0; i < sizes.length; i++) {
      const partition = message.partitions[i]!;
      writer.startBytes(4, sizes[i]!);
      writer.textField(1, partition.topic);
      writer.integerField(2, partition.partition);
      writer.bytesField(3, partition.topicId);
      writer.bytesField(4, partition.records);
      writePlainRecords(writer, 5, partition.plainRecords);
    }
    return writer.finish();
  },

  decode(bytes) {
    const reader = new ProtobufReader(bytes, requestHeapBytes(bytes.length));
    let correlationId = 0;
    let acks = 0;
    let timeoutMs = 0;
    const partitions: ProducePartition[] = [];
    while (reader.hasMore) {
      const tag = reader.tag();
      if (tag === integerTag(1)) correlationId = reader.int64();
      else if (tag === integerTag(2)) acks = reader.int32();
      else if (tag === integerTag(3)) timeoutMs = reader.int32();
      else if (tag === bytesTag(4)) add(partitions, readProducePartition(reader));
      else reader.skip(tag);
    }
    return { correlationId, acks: acks as Acks, timeoutMs, partitions };
  },
};

const producePartitionSize = (partition: ProducePartition): number =>
  textFieldSize(partition.topic) +
  integerFieldSize(partition.partition) +
  bytesFieldSize(partition.topicId.length) +
  bytesFieldSize(partition.records.length) +
  plainRecordsSize(partition.plainRecords);

function readProducePartition(reader: ProtobufReader): ProducePartition {
  let topic = '';
  let partition = 0;
  let topicId = NO_BYTES;
  let records = NO_BYTES;
  let plainCount = 0;
  const outer = reader.enter();
  while (reader.hasMore) {
    const tag = reader.tag();
    if (tag === bytesTag(1)) topic = reader.text();
    else if (tag === integerTag(2)) partition = reader.int32();
    else if (tag === bytesTag(3)) topicId = reader.bytes();
    else if (tag === bytesTag(4)) records = reader.bytes();
    else if (tag === bytesTag(5)) {
      checkCount(plainCount++);
      reader.passOver();
    } else reader.skip(tag);
  }
  const plainRecords: PlainRecords =
    plainCount === 0 ? NO_RECORDS : new EncodedRecords(reader.entered(), 5, plainCount);
  reader.leave(outer);
  return { topic, partition, topicId, records, plainRecords };
}

export const produceResponseCodec: MessageCodec<ProduceResponse> = {
  encode(message) {
    const sizes: number[] = [];
    let size = integerFieldSize(message.correlationId) + integerFieldSize(message.creditBytes);
    for (const partition of message.partitions) {
      size += entrySize(sizes, producedPartitionSize(partition));
    }
    const writer = new ProtobufWriter(size);
    writer.integerField(1, message.correlationId);
    writer.integerField(2, message.creditBytes);
    for (let i = 0; i < sizes.length; i++) {
      const partition = message.partitions[i]!;
      writer.startBytes(3, sizes[i]!);
      writer.textField(1, partition.topic);
      writer.integerField(2, partition.partition);
      writeError(writer, 3, partition.error);
      writer.integerField(4, partition.baseOffset);
      writer.integerField(5, partition.logAppendTimeMs);
      writer.integerField(6, partition.logStartOffset);
      writer.integerField(7, partition.leaderId);
      writer.integerField(8, partition.leaderEpoch);
    }
    return writer.finish();
  },

  decode(bytes) {
    const reader = new ProtobufReader(bytes);
    let correlationId = 0;
    let creditBytes = 0;
    const partitions: ProducedPartition[] = [];
    while (reader.hasMore) {
      const tag = reader.tag();
      if (tag === integerTag(1)) correlationId = reader.int64();
      else if (tag === integerTag(2)) creditBytes = reader.int64();
      else if (tag === bytesTag(3)) add(partitions, readProducedPartition(reader));
      else reader.skip(tag);
    }
    return { correlationId, creditBytes, partitions };
  },
};

const producedPartitionSize = (partition: ProducedPartition): number =>
  textFieldSize(partition.topic) +
  integerFieldSize(partition.partition) +
  errorFieldSize(partition.error) +
  integerFieldSize(partition.baseOffset) +
  integerFieldSize(partition.logAppendTimeMs) +
  integerFieldSize(partition.logStartOffset) +
  integerFieldSize(partition.leaderId) +
  integerFieldSize(partition.leaderEpoch);

function readProducedPartition(reader: ProtobufReader): ProducedPartition {
  let topic = '';
  let partition = 0;
  let error: ErrorMessage | undefined;
  let baseOffset = 0;
  let logAppendTimeMs = 0;
  let logStartOffset = 0;
  let leaderId = 0;
  let leaderEpoch = 0;
  const outer = reader.enter();
  while (reader.hasMore) {
    const tag = reader.tag();
    if (tag === bytesTag(1)) topic = reader.text();
    else if (tag === integerTag(2)) partition = reader.int32();
    else if (tag === bytesTag(3)) error = readError(reader);
    else if (tag === integerTag(4)) baseOffset = reader.int64();
    else if (tag === integerTag(5)) logAppendTimeMs = reader.int64();
    else if (tag === integerTag(6)) logStartOffset = reader.int64();
    else if (tag === integerTag(7)) leaderId = reader.int32();
    else if (tag === integerTag(8)) leaderEpoch = reader.int32();
    else reader.skip(tag);
  }
  reader.leave(outer);
  return {
    topic,
    partition,
    error,
    baseOffset,
    logAppendTimeMs,
    logStartOffset,
    leaderId,
    leaderEpoch,
  };
}

export const fetchRequestCodec: MessageCodec<FetchRequest> = {
  encode(message) {
    const sizes: number[] = [];
    const stopSizes: number[] = [];
    let size =
      integerFieldSize(message.correlationId) +
      integerFieldSize(message.creditBytes) +
      integerFieldSize(message.isolationLevel) +
      integerFieldSize(message.maxPartitionBytes);
    for (const position of message.positions) {
      size += entrySize(sizes, fetchPositionSize(position));
    }
    for (const stop of message.stops) size += entrySize(stopSizes, fetchStopSize(stop));
    size += boolFieldSize(message.plainRecords === true);
    const writer = new ProtobufWriter(size);
    writer.integerField(1, message.correlationId);
    writer.integerField(2, message.creditBytes);
    writer.integerField(3, message.isolationLevel);
    writer.integerField(4, message.maxPartitionBytes);
    for (let i = 0; i < sizes.length; i++) {
      const position = message.positions[i]!;
      writer.startBytes(5, sizes[i]!);
      writer.textField(1, position.topic);
      writer.integerField(2, position.partition);
      writer.bytesField(3, position.topicId);
      writer.integerField(4, position.offset);
      writer.optionalIntegerField(5, position.leaderEpoch);
    }
    for (let i = 0; i < stopSizes.length; i++) {
      const stop = message.stops[i]!;
      writer.startBytes(6, stopSizes[i]!);
      writer.textField(1, stop.topic);
      writer.integerField(2, stop.partition);
    }
    writer.boolField(7, message.plainRecords === true);
    return writer.finish();
  },

  decode(bytes) {
    const reader = new ProtobufReader(bytes, requestHeapBytes(bytes.length));
    let correlationId = 0;
    let creditBytes = 0;
    let isolationLevel = 0;
    let maxPartitionBytes = 0;
    const positions: FetchPosition[] = [];
    const stops: FetchStop[] = [];
    let plainRecords = false;
    while (reader.hasMore) {
      const tag = reader.tag();
      if (tag === integerTag(1)) correlationId = reader.int64();
      else if (tag === integerTag(2)) creditBytes = reader.int64();
      else if (tag === integerTag(3)) isolationLevel = reader.int32();
      else if (tag === integerTag(4)) maxPartitionBytes = reader.int32();
      else if (tag === bytesTag(5)) add(positions, readFetchPosition(reader));
      else if (tag === bytesTag(6)) add(stops, readFetchStop(reader));
      else if (tag === integerTag(7)) plainRecords = reader.bool();
      else reader.skip(tag);
    }
    return {
      correlationId,
      creditBytes,
      isolationLevel: isolationLevel as IsolationLevel,
      maxPartitionBytes,
      positions,
      stops,
      plainRecords,
    };
  },
};

const fetchPositionSize = (position: FetchPosition): number =>
  textFieldSize(position.topic) +
  integerFieldSize(position.partition) +
  bytesFieldSize(position.topicId.length) +
  integerFieldSize(position.offset) +
  optionalIntegerFieldSize(position.leaderEpoch);

function readFetchPosition(reader: ProtobufReader): FetchPosition {
  let topic = '';
  let partition = 0;
  let topicId = NO_BYTES;
  let offset = 0;
  let leaderEpoch = -1;
  const outer = reader.enter();
  while (reader.hasMore) {
    const tag = reader.tag();
    if (tag === bytesTag(1)) topic = reader.text();
    else if (tag === integerTag(2)) partition = reader.int32();
    else if (tag === bytesTag(3)) topicId = reader.bytes();
    else if (tag === integerTag(4)) offset = reader.int64();
    else if (tag === integerTag(5)) leaderEpoch = reader.int32();
    else reader.skip(tag);
  }
  reader.leave(outer);
  return { topic, partition, topicId, offset, leaderEpoch };
}

const fetchStopSize = (stop: FetchStop): number =>
  textFieldSize(stop.topic) + integerFieldSize(stop.partition);

function readFetchStop(reader: ProtobufReader): FetchStop {
  let topic = '';
  let partition = 0;
  const outer = reader.enter();
  while (reader.hasMore) {
    const tag = reader.tag();
    if (tag === bytesTag(1)) topic = reader.text();
    else if (tag === integerTag(2)) partition = reader.int32();
    else reader.skip(tag);
  }
  reader.leave(outer);
  return { topic, partition };
}

export const fetchResponseCodec: MessageCodec<FetchResponse> = {
  encode(message) {
    return writeFetchResponse(message, () => false).finish();
  },

  encodePieces(message) {
    return writeFetchResponse(message, isShared).finishPieces();
  },

  decode(bytes) {
    const reader = new ProtobufReader(bytes);
    const partitions: FetchedPartition[] = [];
    while (reader.hasMore) {
      const tag = reader.tag();
      if (tag === bytesTag(1)) add(partitions, readFetchedPartition(reader));
      else reader.skip(tag);
    }
    return { partitions };
  },
};

function writeFetchResponse(
  message: FetchResponse,
  isShared: (piece: Uint8Array) => boolean,
): ProtobufWriter {
  const sizes: number[] = [];
  let size = 0;
  for (const partition of message.partitions) {
    size += entrySize(sizes, fetchedPartitionSize(partition));
    for (const piece of partition.records) if (isShared(piece)) size -= piece.length;
  }
  const writer = new ProtobufWriter(size);
  for (let i = 0; i < sizes.length; i++) {
    const partition = message.partitions[i]!;
    writer.startBytes(1, sizes[i]!);
    writer.textField(1, partition.topic);
    writer.integerField(2, partition.partition);
    writer.integerField(3, partition.correlationId);
    writeError(writer, 4, partition.error);
    writer.integerField(5, partition.highWatermark);
    writer.integerField(6, partition.lastStableOffset);
    writer.integerField(7, partition.logStartOffset);
    const recordBytes = totalLength(partition.records);
    if (recordBytes > 0) writer.startBytes(8, recordBytes);
    for (const piece of partition.records) {
      if (isShared(piece)) writer.share(piece);
      else writer.append(piece);
    }
    writePlainRecords(writer, 9, partition.plainRecords);
  }
  return writer;
}

/** A small piece is not worth it, and one of much larger memory would keep all of that. */
const isShared = (piece: Uint8Array): boolean =>
  piece.length >= SHARED_FROM_BYTES && piece.length * 2 >= piece.buffer.byteLength;
const SHARED_FROM_BYTES = 8 * 1024;

const fetchedPartitionSize = (partition: FetchedPartition): number =>
  textFieldSize(partition.topic) +
  integerFieldSize(partition.partition) +
  integerFieldSize(partition.correlationId) +
  errorFieldSize(partition.error) +
  integerFieldSize(partition.highWatermark) +
  integerFieldSize(partition.lastStableOffset) +
  integerFieldSize(partition.logStartOffset) +
  bytesFieldSize(totalLength(partition.records)) +
  plainRecordsSize(partition.plainRecords);

function readFetchedPartition(reader: ProtobufReader): FetchedPartition {
  let topic = '';
  let partition = 0;
  let correlationId = 0;
  let error: ErrorMessage | undefined;
  let highWatermark = 0;
  let lastStableOffset = 0;
  let logStartOffset = 0;
  let records = NO_BYTES;
  const plain: PlainRecord[] = [];
  const outer = reader.enter();
  while (reader.hasMore) {
    const tag = reader.tag();
    if (tag === bytesTag(1)) topic = reader.text();
    else if (tag === integerTag(2)) partition = reader.int32();
    else if (tag === integerTag(3)) correlationId = reader.int64();
    else if (tag === bytesTag(4)) error = readError(reader);
    else if (tag === integerTag(5)) highWatermark = reader.int64();
    else if (tag === integerTag(6)) lastStableOffset = reader.int64();
    else if (tag === integerTag(7)) logStartOffset = reader.int64();
    else if (tag === bytesTag(8)) records = reader.bytes();
    else if (tag === bytesTag(9)) plain.push(readPlainRecord(reader));
    else reader.skip(tag);
  }
  reader.leave(outer);
  return {
    topic,
    partition,
    correlationId,
    error,
    highWatermark,
    lastStableOffset,
    logStartOffset,
    records: records.length === 0 ? [] : [records],
    plainRecords: orNone(plain),
  };
}

/** The messages of those who send batches share one empty list. */
const orNone = (records: readonly PlainRecord[]): readonly PlainRecord[] =>
  records.length === 0 ? NO_RECORDS : records;

/** Notes the size of an entry of a repeated field for the second pass; the result is its field's. */
function entrySize(sizes: number[], size: number): number {
  sizes.push(size);
  return messageFieldSize(size);
}

function add<T>(entries: T[], entry: T): void {
  checkCount(entries.length);
  entries.push(entry);
}

/** Before one more is taken to those that are there. */
function checkCount(entries: number): void {
  if (entries < MAX_ENTRIES) return;
  throw new CorruptError(`a message has more than ${MAX_ENTRIES} entries of a kind`);
}
