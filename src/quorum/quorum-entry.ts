import { crc32c } from '../codec/crc32c.ts';
import { ByteReader, CorruptError, corruptIfBroken } from '../codec/reader.ts';
import { ByteWriter } from '../codec/writer.ts';
import { NewerFormatError } from '../metadata/metadata-record-codec.ts';
import { type LeaderEpoch, leaderEpoch, nodeId } from '../model/ids.ts';
import type { Entry, Position } from '../raft/entry.ts';
import { readConfiguration, writeConfiguration } from './configuration-codec.ts';

/** An entry of the log as it is stored. */
export interface StoredEntry {
  readonly entry: Entry;
  /**
   * Epoch of the entry before it. No two logs differ before an entry that they share (log matching, paper
   * 5.3), so an entry whose predecessor is of another epoch stands in a log that has lost something.
   * `null` if not stored: it is of the only voter of the time before Raft, and was never cut off.
   */
  readonly previousEpoch: LeaderEpoch | null;
}

/** An entry to be stored. */
export interface LinkedEntry extends StoredEntry {
  readonly previousEpoch: LeaderEpoch;
}

/** Of the time before Raft; read and never written. */
const LEADER_CHANGE = 1;
const RECORDS = 2;
const EMPTY = 3;
const COMMAND = 4;
const CONFIGURATION = 5;
const CRC_BYTES = 4;
/** Of all that is before the payload, with the previous epoch. */
const HEADER_BYTES = 13;

/**
 * An entry as a value of the store, whose key is its index; big-endian:
 *
 *     crc32c uint32 (of the index as int64 and all that follows) | epoch int32 | kind int8 | payload
 *
 *     payload of kind 3, empty: previous epoch int32
 *     payload of kind 4, command: previous epoch int32 | its bytes
 *     payload of kind 5, configuration: previous epoch int32 | configuration (configuration-codec.ts)
 *
 * Older, which is read and never written:
 *
 *     payload of kind 1, leader-change: leader int32
 *     payload of kind 2, records: the bytes of a command
 */
export function encodeEntry({ entry, previousEpoch }: LinkedEntry): Uint8Array {
  const out = new ByteWriter(HEADER_BYTES + (entry.kind === 'command' ? entry.bytes.length : 0));
  out.int32(0);
  out.int32(entry.epoch);
  out.int8(kinds[entry.kind]);
  out.int32(previousEpoch);
  if (entry.kind === 'command') out.bytes(entry.bytes);
  else if (entry.kind === 'configuration') writeConfiguration(out, entry.configuration);
  out.setInt32(0, checksum(entry.index, out.toBytes()) | 0);
  return out.toBytes();
}

const kinds = { empty: EMPTY, command: COMMAND, configuration: CONFIGURATION };

/** @throws CorruptError if the value is not that of an entry with this index */
export const decodeEntry = (index: number, value: Uint8Array): StoredEntry =>
  corruptIfBroken(() => readEntry(index, value));

function readEntry(index: number, value: Uint8Array): StoredEntry {
  const reader = new ByteReader(value);
  if (reader.uint32() !== checksum(index, value)) throw new CorruptError('its checksum is wrong');
  const epoch = leaderEpoch(reader.int32());
  const kind = reader.int8();
  const isOlder = kind === LEADER_CHANGE || kind === RECORDS;
  if (!isOlder && (kind < EMPTY || kind > CONFIGURATION)) {
    throw new NewerFormatError(`an entry of the metadata log of kind ${kind}`);
  }
  const previousEpoch = isOlder ? null : leaderEpoch(reader.int32());
  const entry = readPayload(kind, { index, epoch }, reader);
  if (reader.remaining > 0) throw new CorruptError(`${reader.remaining} bytes follow it`);
  return { entry, previousEpoch };
}

function readPayload(kind: number, position: Position, reader: ByteReader): Entry {
  switch (kind) {
    case RECORDS:
    case COMMAND:
      return { ...position, kind: 'command', bytes: reader.view(reader.remaining) };
    case CONFIGURATION:
      return { ...position, kind: 'configuration', configuration: readConfiguration(reader) };
    default:
      if (kind === LEADER_CHANGE) nodeId(reader.int32());
      return { ...position, kind: 'empty' };
  }
}

/** The bytes of a command: records that were appended together, so that all of them count, or none. */
export function encodeRecords(records: readonly Uint8Array[]): Uint8Array {
  const bytes = records.reduce((sum, record) => sum + record.length + 4, 4);
  const out = new ByteWriter(bytes);
  writeRecords(out, records);
  return out.toBytes();
}

/** The twin of `encodeRecords`; the records are views. */
export const decodeRecords = (bytes: Uint8Array): Uint8Array[] =>
  readRecords(new ByteReader(bytes));

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

/** Used again for each checksum. */
const key = new ByteWriter(8);

/** The index is part of it: an entry at another entry's place is found. */
function checksum(index: number, value: Uint8Array): number {
  key.clear();
  key.int64(index);
  return crc32c(value.subarray(CRC_BYTES), crc32c(key.toBytes()));
}
