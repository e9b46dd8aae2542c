import { crc32c } from '../codec/crc32c.ts';
import { ByteReader, CorruptError, corruptIfBroken } from '../codec/reader.ts';
import { ByteWriter } from '../codec/writer.ts';
import { type LeaderEpoch, leaderEpoch } from '../model/ids.ts';
import { readRecords, writeRecords } from './quorum-entry.ts';

/** Records that stand for every entry up to `lastIndex`. */
export interface QuorumSnapshot {
  readonly lastIndex: number;
  /** Epoch of the entry at `lastIndex`. */
  readonly epoch: LeaderEpoch;
  readonly records: readonly Uint8Array[];
}

/** One that was read from its chunks. */
export interface DecodedSnapshot extends QuorumSnapshot {
  readonly chunkCount: number;
}

/** A chunk is closed when it has this many bytes of records. */
const CHUNK_BYTES = 256 * 1024;
const CRC_BYTES = 4;

/** One value of the store that holds a part of a snapshot. */
interface Chunk {
  readonly lastIndex: number;
  readonly epoch: LeaderEpoch;
  /** How many chunks the snapshot has. */
  readonly count: number;
  readonly records: readonly Uint8Array[];
}

/**
 * A snapshot as values of the store, whose keys are their numbers from 0; at least one; big-endian:
 *
 *     crc32c uint32 (of the number as int32 and all that follows) |
 *     last index int64 | epoch int32 | count of chunks int32 | records as in an entry
 */
export function encodeSnapshot(snapshot: QuorumSnapshot): Uint8Array[] {
  const { lastIndex, epoch } = snapshot;
  const parts = splitRecords(snapshot.records);
  return parts.map((records, number) => {
    const out = new ByteWriter(1024);
    out.int32(0);
    out.int64(lastIndex);
    out.int32(epoch);
    out.int32(parts.length);
    writeRecords(out, records);
    out.setInt32(0, checksum(number, out.toBytes()) | 0);
    return out.toBytes();
  });
}

/**
 * The snapshot that the chunks make up; `undefined` if there are none. Chunks of an older snapshot
 * that stand behind the last one are passed over: a power cut may have brought them back.
 *
 * @throws CorruptError if a chunk is missing, damaged, or of another snapshot
 */
export function decodeSnapshot(
  values: ReadonlyMap<number, Uint8Array>,
): DecodedSnapshot | undefined {
  if (values.size === 0) return undefined;
  const first = decodeChunk(0, values.get(0));
  const { lastIndex, epoch, count } = first;
  const records = [...first.records];
  for (let number = 1; number < count; number++) {
    const chunk = decodeChunk(number, values.get(number));
    if (chunk.lastIndex !== lastIndex || chunk.epoch !== epoch || chunk.count !== count) {
      throw new CorruptError(`chunk ${number} of the snapshot belongs to another one`);
    }
    for (const record of chunk.records) records.push(record);
  }
  return { lastIndex, epoch, records, chunkCount: count };
}

/** Which snapshot a chunk that was written by this process is part of. */
export const lastIndexOfChunk = (value: Uint8Array): number =>
  new ByteReader(value.subarray(CRC_BYTES)).int64();

function decodeChunk(number: number, value: Uint8Array | undefined): Chunk {
  if (value === undefined) throw new CorruptError(`chunk ${number} of the snapshot is missing`);
  const reader = new ByteReader(value);
  if (reader.uint32() !== checksum(number, value)) {
    throw new CorruptError(`chunk ${number} of the snapshot fails its checksum`);
  }
  return {
    lastIndex: reader.int64(),
    epoch: corruptIfBroken(() => leaderEpoch(reader.int32())),
    count: reader.int32(),
    records: readRecords(reader),
  };
}

function splitRecords(records: readonly Uint8Array[]): Uint8Array[][] {
  let part: Uint8Array[] = [];
  let bytes = 0;
  const parts = [part];
  for (const record of records) {
    if (bytes >= CHUNK_BYTES) {
      part = [];
      bytes = 0;
      parts.push(part);
    }
    part.push(record);
    bytes += record.length;
  }
  return parts;
}

function checksum(number: number, value: Uint8Array): number {
  const key = new ByteWriter(4);
  key.int32(number);
  return crc32c(value.subarray(CRC_BYTES), crc32c(key.toBytes()));
}
