import { crc32c } from '../codec/crc32c.ts';
import { ByteReader, CorruptError, corruptIfBroken } from '../codec/reader.ts';
import { ByteWriter } from '../codec/writer.ts';
import { offset, producerId } from '../model/ids.ts';
import { decodeChecked, encodeChecked } from './checked-file.ts';
import {
  firstOffsetOf,
  type ProducerState,
  type RememberedBatch,
  sequenceBefore,
} from './producer-states.ts';

/**
 * Files that keep what a partition knows of its producers before an offset.
 *
 * `.snapshot` is Kafka's and keeps only the newest batch of each producer:
 *
 *     version i16 = 1 | crc u32 (CRC-32C of what follows) | count i32 | per producer:
 *     producer id i64 | epoch i16 | last sequence i32 | last offset i64 | offset delta i32 |
 *     timestamp i64 | coordinator epoch i32 | first offset of the open transaction i64
 *
 * `.producers` is ours and keeps all that are remembered (DESIGN 4b rule 4), in the frame of
 * `checked-file.ts`:
 *
 *     count i32 | per producer: producer id i64 | epoch i16 | coordinator epoch i32 |
 *     first offset of the open transaction i64 | last append i64 | batches i8 | per batch:
 *     last sequence i32 | last offset i64 | offset delta i32 | timestamp i64
 */
const KAFKA_VERSION = 1;
const KAFKA_ENTRY_BYTES = 46;
const KAFKA_CRC_END = 6;

const OWN_MAGIC = 0x56_52_56_50; // "VRVP"
const OWN_VERSION = 1;
const OWN_ENTRY_BYTES = 31;
const BATCH_BYTES = 24;

/** Both files of one moment. */
export interface ProducerSnapshot {
  readonly kafka: Uint8Array;
  readonly own: Uint8Array;
}

export function encodeProducers(states: Iterable<ProducerState>): ProducerSnapshot {
  const all = [...states];
  return { kafka: encodeKafka(all), own: encodeOwn(all) };
}

function encodeKafka(states: readonly ProducerState[]): Uint8Array {
  const out = new ByteWriter(10 + states.length * KAFKA_ENTRY_BYTES);
  out.int16(KAFKA_VERSION);
  out.uint32(0);
  out.int32(states.length);
  for (const state of states) {
    const last = state.batches.at(-1);
    out.int64(state.id);
    out.int16(state.epoch);
    out.int32(last?.lastSequence ?? -1);
    out.int64(last?.lastOffset ?? -1);
    out.int32(last === undefined ? 0 : last.lastOffset - last.firstOffset);
    out.int64(state.lastAppendMs);
    out.int32(state.coordinatorEpoch);
    out.int64(state.currentTxnFirstOffset);
  }
  const bytes = out.toBytes();
  // The writer overwrites signed fields; the checksum's bits are the same.
  out.setInt32(2, crc32c(bytes.subarray(KAFKA_CRC_END)) | 0);
  return bytes;
}

function encodeOwn(states: readonly ProducerState[]): Uint8Array {
  const out = new ByteWriter(4 + states.length * (OWN_ENTRY_BYTES + 5 * BATCH_BYTES));
  out.int32(states.length);
  for (const state of states) {
    out.int64(state.id);
    out.int16(state.epoch);
    out.int32(state.coordinatorEpoch);
    out.int64(state.currentTxnFirstOffset);
    out.int64(state.lastAppendMs);
    out.int8(state.batches.length);
    for (const batch of state.batches) {
      out.int32(batch.lastSequence);
      out.int64(batch.lastOffset);
      out.int32(batch.lastOffset - batch.firstOffset);
      out.int64(batch.timestampMs);
    }
  }
  return encodeChecked(OWN_MAGIC, OWN_VERSION, out.toBytes());
}

/** The producers in a `.producers` file. Throws `CorruptError`. */
export function decodeOwnProducers(bytes: Uint8Array): ProducerState[] {
  const reader = decodeChecked(OWN_MAGIC, OWN_VERSION, bytes);
  const count = reader.count(reader.int32(), OWN_ENTRY_BYTES);
  const states: ProducerState[] = [];
  for (let i = 0; i < count; i++) states.push(corruptIfBroken(() => decodeOwnProducer(reader)));
  return states;
}

function decodeOwnProducer(reader: ByteReader): ProducerState {
  const state: ProducerState = {
    id: producerId(reader.int64()),
    epoch: reader.int16(),
    coordinatorEpoch: reader.int32(),
    currentTxnFirstOffset: reader.int64(),
    lastAppendMs: reader.int64(),
    batches: [],
  };
  const batches = reader.count(reader.int8(), BATCH_BYTES);
  for (let b = 0; b < batches; b++) state.batches.push(decodeBatch(reader));
  return state;
}

function decodeBatch(reader: ByteReader): RememberedBatch {
  const lastSequence = reader.int32();
  const lastOffset = reader.int64();
  const delta = reader.int32();
  return {
    firstSequence: sequenceBefore(lastSequence, delta),
    lastSequence,
    firstOffset: firstOffsetOf(lastOffset, delta),
    lastOffset: offset(lastOffset),
    timestampMs: reader.int64(),
  };
}

/** The producers in a `.snapshot` of Kafka's, each with one batch at most. Throws `CorruptError`. */
export function decodeKafkaProducers(bytes: Uint8Array): ProducerState[] {
  const reader = new ByteReader(bytes);
  const version = reader.int16();
  if (version !== KAFKA_VERSION) throw new CorruptError(`version ${version} is not known`);
  const crc = reader.uint32();
  if (crc32c(bytes.subarray(KAFKA_CRC_END)) !== crc) {
    throw new CorruptError('the file fails its checksum');
  }
  const count = reader.count(reader.int32(), KAFKA_ENTRY_BYTES);
  const states: ProducerState[] = [];
  for (let i = 0; i < count; i++) {
    states.push(corruptIfBroken(() => decodeKafkaProducer(reader)));
  }
  return states;
}

function decodeKafkaProducer(reader: ByteReader): ProducerState {
  const id = producerId(reader.int64());
  const epoch = reader.int16();
  const lastSequence = reader.int32();
  const lastOffset = reader.int64();
  const delta = reader.int32();
  const timestampMs = reader.int64();
  const batch = (): RememberedBatch => ({
    firstSequence: sequenceBefore(lastSequence, delta),
    lastSequence,
    firstOffset: firstOffsetOf(lastOffset, delta),
    lastOffset: offset(lastOffset),
    timestampMs,
  });
  return {
    id,
    epoch,
    batches: lastSequence < 0 ? [] : [batch()],
    lastAppendMs: timestampMs,
    coordinatorEpoch: reader.int32(),
    currentTxnFirstOffset: reader.int64(),
  };
}
