import { ByteReader, CorruptError } from '../codec/reader.ts';
import { ByteWriter } from '../codec/writer.ts';
import type { ReceivedChunk } from '../raft/effects.ts';
import type { SnapshotMeta } from '../raft/entry.ts';
import { decodeSnapshot } from './snapshot-chunks.ts';

/**
 * A snapshot on its way to another node is a stream of bytes: its chunks as they are stored, each with its
 * length, uint32, before it. Pieces of it are cut anywhere.
 */
const LENGTH_BYTES = 4;
/** Most bytes of a snapshot that is taken from another node. */
const MAX_STREAM_BYTES = 1024 * 1024 * 1024;

export interface StreamPiece {
  readonly bytes: Uint8Array;
  readonly isLast: boolean;
}

/**
 * At most `bytesMax` bytes of the stream from `offset` on, of one chunk.
 *
 * @param chunkBytes how many bytes each chunk has
 * @param load a chunk by its number; `null` if it is gone
 * @returns `null` if it is gone, or there is no such place
 */
export async function sliceOfStream(
  chunkBytes: readonly number[],
  offset: number,
  bytesMax: number,
  load: (number: number) => Promise<Uint8Array | null>,
): Promise<StreamPiece | null> {
  let start = 0;
  for (const [number, length] of chunkBytes.entries()) {
    const end = start + LENGTH_BYTES + length;
    if (offset < end) {
      const value = await load(number);
      if (value === null) return null;
      const bytes = framed(value).subarray(offset - start, offset - start + bytesMax);
      const isLast = number === chunkBytes.length - 1 && offset + bytes.length === end;
      return { bytes, isLast };
    }
    start = end;
  }
  return null;
}

function framed(value: Uint8Array): Uint8Array {
  const out = new ByteWriter(LENGTH_BYTES + value.length);
  out.uint32(value.length);
  out.bytes(value);
  return out.toBytes();
}

/** A snapshot that arrived whole. */
interface Arrived {
  readonly meta: SnapshotMeta;
  readonly chunks: readonly Uint8Array[];
  readonly records: readonly Uint8Array[];
}

/**
 * The pieces of a snapshot that are there, in memory: after a restart the leader sends it from its
 * beginning, so they are worth nothing on the disk.
 */
export class IncomingSnapshot {
  #pieces: Uint8Array[] = [];
  #bytes = 0;
  #arrived: Arrived | null = null;

  /**
   * False if the piece is not to be believed: it is the last, and the whole is not the snapshot it should
   * be. Asked before the piece is given to Raft, which takes the log for replaced after the last one.
   */
  accepts({ snapshot, offset, bytes, isLast }: ReceivedChunk): boolean {
    this.#arrived = null;
    if (offset + bytes.length > MAX_STREAM_BYTES) return false;
    // Any other place is not the next one, and Raft will not take it.
    if (!isLast || (offset > 0 && offset !== this.#bytes)) return true;
    const before = offset === 0 ? [] : this.#pieces;
    const stream = new ByteWriter(offset + bytes.length);
    for (const piece of [...before, bytes]) stream.bytes(piece);
    this.#arrived = parse(snapshot, stream.toBytes());
    return this.#arrived !== null;
  }

  /** Raft has taken this piece. The snapshot, if it was the last. */
  add({ offset, bytes, isLast }: ReceivedChunk): Arrived | null {
    const arrived = this.#arrived;
    if (offset === 0 || isLast) this.#clear();
    if (isLast) return arrived;
    this.#pieces.push(bytes);
    this.#bytes += bytes.length;
    return null;
  }

  #clear(): void {
    this.#pieces = [];
    this.#bytes = 0;
    this.#arrived = null;
  }
}

function parse(meta: SnapshotMeta, stream: Uint8Array): Arrived | null {
  try {
    const reader = new ByteReader(stream);
    const chunks: Uint8Array[] = [];
    while (reader.remaining > 0) chunks.push(reader.view(reader.uint32()));
    const decoded = decodeSnapshot(new Map(chunks.entries()));
    const { index, epoch } = meta.last;
    const isMeant =
      decoded?.lastIndex === index &&
      decoded.epoch === epoch &&
      decoded.chunkCount === chunks.length;
    return isMeant ? { meta, chunks, records: decoded.records } : null;
  } catch (error) {
    if (error instanceof CorruptError) return null;
    throw error;
  }
}
