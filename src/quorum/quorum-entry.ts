import { crc32c } from '../codec/crc32c.ts';
import { ByteReader, CorruptError, corruptIfBroken } from '../codec/reader.ts';
import { ByteWriter } from '../codec/writer.ts';
import { NewerFormatError } from '../metadata/metadata-record-codec.ts';
import { type LeaderEpoch, leaderEpoch, type NodeId, nodeId } from '../model/ids.ts';

/** One entry of the metadata log. Entries of one epoch were appended by one leader. */
export type QuorumEntry = LeaderChangeEntry | RecordsEntry;

/** First entry of every epoch. */
export interface LeaderChangeEntry {
  readonly kind: 'leader-change';
  readonly index: number;
  readonly epoch: LeaderEpoch;
  readonly leader: NodeId;
}

/** Records that were written together: all of them count, or none. */
export interface RecordsEntry {
  readonly kind: 'records';
  readonly index: number;
  readonly epoch: LeaderEpoch;
  readonly records: readonly Uint8Array[];
}

const LEADER_CHANGE = 1;
const RECORDS = 2;
const CRC_BYTES = 4;

/**
 * An entry as a value of the store, whose key is its index; big-endian:
 *
 *     crc32c uint32 (of the index as int64 and all that follows) | epoch int32 | kind int8 | payload
 *
 *     payload of kind 1, leader-change: leader int32
 *     payload of kind 2, records: count int32 | (length int32 | record) each
 */
export function encodeEntry(entry: QuorumEntry): Uint8Array {
  const out = new ByteWriter(256);
  out.int32(0);
  out.int32(entry.epoch);
  if (entry.kind === 'leader-change') {
    out.int8(LEADER_CHANGE);
    out.int32(entry.leader);
  } else {
    out.int8(RECORDS);
    writeRecords(out, entry.records);
  }
  out.setInt32(0, checksum(entry.index, out.toBytes()) | 0);
  return out.toBytes();
}

/** @throws CorruptError if the value is not that of an entry with this index */
export const decodeEntry = (index: number, value: Uint8Array): QuorumEntry =>
  corruptIfBroken(() => readEntry(index, value));

function readEntry(index: number, value: Uint8Array): QuorumEntry {
  const reader = new ByteReader(value);
  if (reader.uint32() !== checksum(index, value)) throw new CorruptError('its checksum is wrong');
  const epoch = leaderEpoch(reader.int32());
  const kind = reader.int8();
  if (kind === LEADER_CHANGE) {
    return { kind: 'leader-change', index, epoch, leader: nodeId(reader.int32()) };
  }
  if (kind === RECORDS) return { kind: 'records', index, epoch, records: readRecords(reader) };
  throw new NewerFormatError(`an entry of the metadata log of kind ${kind}`);
}

/** Records with their count and lengths, as entries and snapshots hold them. */
export function writeRecords(out: ByteWriter, records: readonly Uint8Array[]): void {
  out.int32(records.length);
  for (const record of records) {
    out.int32(record.length);
    out.bytes(record);
  }
}

/** The twin of `writeRecords`; the records are views. */
export function readRecords(reader: ByteReader): Uint8Array[] {
  const count = reader.count(reader.int32(), 4);
  const records: Uint8Array[] = [];
  for (let i = 0; i < count; i++) records.push(reader.view(reader.int32()));
  if (reader.remaining > 0) throw new CorruptError(`${reader.remaining} bytes follow its records`);
  return records;
}

/** The index is part of it: an entry at another entry's place is found. */
function checksum(index: number, value: Uint8Array): number {
  const key = new ByteWriter(8);
  key.int64(index);
  return crc32c(value.subarray(CRC_BYTES), crc32c(key.toBytes()));
}
