import { type ByteReader, corruptIfBroken } from '../codec/reader.ts';
import { ByteWriter } from '../codec/writer.ts';
import {
  leaderEpoch,
  type Offset,
  offset,
  partitionName,
  type TopicId,
  type TopicPartition,
  topicId,
} from '../model/ids.ts';
import { decodeChecked, encodeChecked } from './checked-file.ts';
import { type JournalPoint, NO_JOURNAL } from './journal-format.ts';
import type { EpochStart } from './leader-epochs.ts';

/** Up to where a log is durable. */
export interface DurablePoint {
  /** Exclusive: all below is fsynced. */
  readonly endOffset: Offset;
  /** The segment that this lies in, and the byte position in it. */
  readonly segmentBase: Offset;
  readonly position: number;
}

/** What is known of the index files of the segment of a mark. */
export interface IndexMark {
  readonly offsetEntries: number;
  readonly offsetCrc: number;
  readonly timeEntries: number;
  readonly timeCrc: number;
}

/** No index entry is vouched for. */
export const NO_INDEX: IndexMark = { offsetEntries: 0, offsetCrc: 0, timeEntries: 0, timeCrc: 0 };

/**
 * What a data directory remembers of a log: the recovery point (above it an unclean start checks
 * every batch), the mark of DESIGN 4b rule 3 (a bad batch below it is corruption), and where the log
 * starts.
 */
export interface LogMark extends DurablePoint {
  readonly topicPartition: TopicPartition;
  readonly topicId: TopicId;
  readonly logStartOffset: Offset;
  /** Segments that begin below this have indexes and producer snapshots that are durable. */
  readonly finishedBefore: Offset;
  readonly index: IndexMark;
  /** The log was closed in order: nothing lies above the mark, and the sizes below are those of all. */
  readonly isClean: boolean;
  readonly segmentCount: number;
  readonly totalBytes: number;
  /** Leader epochs that begin at or below `endOffset`. */
  readonly epochs: readonly EpochStart[];
}

/** What a data directory remembers. */
export interface DurableMarks {
  /** By the name of the partition. */
  readonly logs: Map<string, LogMark>;
  /** Below it the commit journal is durable: what is bad there is corruption. */
  readonly journal: JournalPoint;
}

/**
 * The file `durable-marks`: one entry for each log, in the frame of `checked-file.ts`.
 *
 *     count i32 | logs | from version 2 on: journal part i64, position in it i64
 *     a log: topic length i16, topic, partition i32, topic id (22 characters),
 *     log start i64, end offset i64, segment base i64, position i32, finished before i64,
 *     offset entries i32, their CRC-32C u32, time entries i32, their CRC-32C u32,
 *     clean i8, segments i32, total bytes i64, epochs i32 | per epoch: epoch i32, start offset i64
 */
const MAGIC = 0x56_52_56_4d; // "VRVM"
const VERSION = 2;
const MIN_ENTRY_BYTES = 97;
const TOPIC_ID_BYTES = 22;

export function encodeMarks(marks: readonly LogMark[], journal: JournalPoint): Uint8Array {
  const out = new ByteWriter(20 + marks.length * 2 * MIN_ENTRY_BYTES);
  out.int32(marks.length);
  for (const mark of marks) encodeMark(out, mark);
  out.int64(journal.part);
  out.int64(journal.position);
  return encodeChecked(MAGIC, VERSION, out.toBytes());
}

function encodeMark(out: ByteWriter, mark: LogMark): void {
  const { topic, partition } = mark.topicPartition;
  out.int16(topic.length);
  out.utf8(topic);
  out.int32(partition);
  out.utf8(mark.topicId);
  out.int64(mark.logStartOffset);
  out.int64(mark.endOffset);
  out.int64(mark.segmentBase);
  out.int32(mark.position);
  out.int64(mark.finishedBefore);
  out.int32(mark.index.offsetEntries);
  out.uint32(mark.index.offsetCrc);
  out.int32(mark.index.timeEntries);
  out.uint32(mark.index.timeCrc);
  out.int8(mark.isClean ? 1 : 0);
  out.int32(mark.segmentCount);
  out.int64(mark.totalBytes);
  out.int32(mark.epochs.length);
  for (const { epoch, startOffset } of mark.epochs) {
    out.int32(epoch);
    out.int64(startOffset);
  }
}

/** Throws `CorruptError`. */
export function decodeMarks(bytes: Uint8Array): DurableMarks {
  const reader = decodeChecked(MAGIC, VERSION, bytes);
  const count = reader.count(reader.int32(), MIN_ENTRY_BYTES);
  const logs = new Map<string, LogMark>();
  for (let i = 0; i < count; i++) {
    const mark = corruptIfBroken(() => decodeMark(reader));
    logs.set(partitionName(mark.topicPartition), mark);
  }
  // Version 1 knew no journal.
  if (reader.remaining === 0) return { logs, journal: NO_JOURNAL };
  return { logs, journal: { part: reader.int64(), position: reader.int64() } };
}

function decodeMark(reader: ByteReader): LogMark {
  return {
    topicPartition: { topic: reader.utf8(reader.int16()), partition: reader.int32() },
    topicId: topicId(reader.utf8(TOPIC_ID_BYTES)),
    logStartOffset: offset(reader.int64()),
    endOffset: offset(reader.int64()),
    segmentBase: offset(reader.int64()),
    position: reader.int32(),
    finishedBefore: offset(reader.int64()),
    index: {
      offsetEntries: reader.int32(),
      offsetCrc: reader.uint32(),
      timeEntries: reader.int32(),
      timeCrc: reader.uint32(),
    },
    isClean: reader.int8() === 1,
    segmentCount: reader.int32(),
    totalBytes: reader.int64(),
    epochs: decodeEpochs(reader),
  };
}

function decodeEpochs(reader: ByteReader): EpochStart[] {
  const count = reader.count(reader.int32(), 12);
  const epochs: EpochStart[] = [];
  for (let i = 0; i < count; i++) {
    epochs.push({ epoch: leaderEpoch(reader.int32()), startOffset: offset(reader.int64()) });
  }
  return epochs;
}
