import { crc32c } from '../codec/crc32c.ts';
import { ByteReader, CorruptError, corruptIfBroken } from '../codec/reader.ts';
import { ByteWriter } from '../codec/writer.ts';
import { type Offset, offset, type TopicId, topicId } from '../model/ids.ts';

/** Up to where a journal is durable: a part, and a position in it. */
export interface JournalPoint {
  readonly part: number;
  readonly position: number;
}

/** Parts are numbered from 1. */
export const NO_JOURNAL: JournalPoint = { part: 0, position: 0 };

/** The log that an entry is of. */
export interface JournalKey {
  readonly topicId: TopicId;
  readonly partition: number;
}

/** Bytes that belong into a segment. */
export interface JournalWrite extends JournalKey {
  readonly kind: 'write';
  readonly segmentBase: Offset;
  /** Where they belong in the `.log` file. */
  readonly position: number;
  readonly chunks: readonly Uint8Array[];
  readonly bytes: number;
}

/** What the journal holds of a log up to here counts no more: its end was cut. */
export interface JournalVoid extends JournalKey {
  readonly kind: 'void';
}

export type JournalEntry = JournalWrite | JournalVoid;

/**
 * A part of the commit journal, a file `commit-journal.NUMBER`: a header, then one frame a commit.
 *
 *     header: magic u32 | version i16 | number i64 | chain of the part before, if it was there, u32 | crc u32
 *     frame:  length i32 | crc u32 | content (length bytes)
 *     content, per entry: kind i8 (1 write, 2 void) | topic id (22 characters) | partition i32
 *       a write goes on: segment base i64 | position i32 | bytes i32 | the bytes
 *
 * Checksums are CRC-32C. That of a frame is seeded with the one before it, the first with that of the
 * header (DESIGN 4b rule 8): a frame counts only behind those that were written before it. `chain` is the
 * last of them.
 */
const MAGIC = 0x56_52_56_4a; // "VRVJ"
const VERSION = 1;
const WRITE = 1;
const VOID = 2;
const TOPIC_ID_BYTES = 22;
const CRC_POSITION = 18;
export const JOURNAL_HEADER_BYTES = 22;
const FRAME_HEADER_BYTES = 8;
/** Of a write, beside its bytes. */
const WRITE_BYTES = 1 + TOPIC_ID_BYTES + 4 + 8 + 4 + 4;

export interface JournalHeader {
  readonly number: number;
  /** `chain` of the part before, 0 if there was none: tells whether that one is whole. */
  readonly chainBefore: number;
}

export function encodeJournalHeader({ number, chainBefore }: JournalHeader): Uint8Array {
  const out = new ByteWriter(JOURNAL_HEADER_BYTES);
  out.uint32(MAGIC);
  out.int16(VERSION);
  out.int64(number);
  out.uint32(chainBefore);
  out.uint32(crc32c(out.toBytes()));
  return out.toBytes();
}

/** The checksum at the end of a header: the seed of the first frame. */
export const chainOfHeader = (header: Uint8Array): number =>
  crc32c(header.subarray(0, CRC_POSITION));

/** Throws `CorruptError`. */
export function decodeJournalHeader(bytes: Uint8Array): JournalHeader {
  const reader = new ByteReader(bytes);
  if (reader.uint32() !== MAGIC) throw new CorruptError('the file does not begin with its magic');
  const version = reader.int16();
  if (version !== VERSION) {
    throw new CorruptError(`the file has version ${version}, this program reads ${VERSION}`);
  }
  const header = { number: reader.int64(), chainBefore: reader.uint32() };
  if (reader.uint32() !== chainOfHeader(bytes)) {
    throw new CorruptError('the header fails its checksum');
  }
  return header;
}

/** Adds one frame to `out`, and returns its checksum: the chain from here on. */
export function encodeFrame(
  out: ByteWriter,
  entries: readonly JournalEntry[],
  chain: number,
): number {
  const start = out.length;
  out.reserve(FRAME_HEADER_BYTES);
  for (const entry of entries) encodeEntry(out, entry);
  const content = out.toBytes().subarray(start + FRAME_HEADER_BYTES);
  const crc = crc32c(content, chain);
  out.setInt32(start, content.length);
  out.setInt32(start + 4, crc | 0);
  return crc;
}

function encodeEntry(out: ByteWriter, entry: JournalEntry): void {
  out.int8(entry.kind === 'write' ? WRITE : VOID);
  out.utf8(entry.topicId);
  out.int32(entry.partition);
  if (entry.kind === 'void') return;
  out.int64(entry.segmentBase);
  out.int32(entry.position);
  out.int32(entry.bytes);
  for (const chunk of entry.chunks) out.bytes(chunk);
}

export interface JournalFrame {
  readonly entries: readonly JournalEntry[];
  /** Where the next one begins. */
  readonly end: number;
  readonly chain: number;
}

/**
 * The frame at `start` of a part; `undefined` if what is there is not sound or not of this chain.
 * Bytes of its entries are views. Throws `CorruptError` for a frame with a right checksum that says
 * nothing.
 */
export function decodeFrame(
  part: Uint8Array,
  start: number,
  chain: number,
): JournalFrame | undefined {
  if (part.length - start < FRAME_HEADER_BYTES) return undefined;
  const header = new ByteReader(part.subarray(start, start + FRAME_HEADER_BYTES));
  const length = header.int32();
  const crc = header.uint32();
  const from = start + FRAME_HEADER_BYTES;
  if (length <= 0 || length > part.length - from) return undefined;
  const content = part.subarray(from, from + length);
  if (crc32c(content, chain) !== crc) return undefined;
  const reader = new ByteReader(content);
  const entries: JournalEntry[] = [];
  while (reader.remaining > 0) entries.push(corruptIfBroken(() => decodeEntry(reader)));
  return { entries, end: from + length, chain: crc };
}

function decodeEntry(reader: ByteReader): JournalEntry {
  const kind = reader.int8();
  const key = { topicId: topicId(reader.utf8(TOPIC_ID_BYTES)), partition: reader.int32() };
  if (kind === VOID) return { kind: 'void', ...key };
  if (kind !== WRITE) throw new CorruptError(`an entry of kind ${kind}`);
  const segmentBase = offset(reader.int64());
  const position = reader.int32();
  if (position < 0) throw new CorruptError(`an entry at byte ${position} of a segment`);
  const bytes = reader.int32();
  return { kind: 'write', ...key, segmentBase, position, chunks: [reader.view(bytes)], bytes };
}

/** What an entry takes in a frame. */
export const entryBytes = (entry: JournalEntry): number =>
  WRITE_BYTES + (entry.kind === 'write' ? entry.bytes : 0);
