import { BoundedOutput } from './bounded-output.ts';
import { ByteReader, CorruptError } from './reader.ts';
import { xxhash32 } from './xxhash32.ts';

/**
 * The LZ4 frame format, version 01, little-endian:
 *
 *     frame   magic u32 = 184D2204, FLG u8, BD u8, [content size u64], [dictionary id u32],
 *             HC u8 = second byte of xxHash32 from FLG on, blocks..., 0 u32, [content checksum u32]
 *     FLG     7-6 version = 01 | 5 independent blocks | 4 block checksums | 3 content size
 *             | 2 content checksum | 1 zero | 0 dictionary id
 *     BD      7 zero | 6-4 largest block: 4 = 64 KiB, 5 = 256 KiB, 6 = 1 MiB, 7 = 4 MiB | 3-0 zero
 *     block   size u32 (top bit: stored as it is), data, [xxHash32 of the data u32]
 *
 * Java, librdkafka and Go clients differ in which options they set; all are read here, but for
 * dictionaries, which no batch can name.
 */
const MAGIC = 0x184d2204;
const VERSION = 1;
const STORED = 0x8000_0000;
/** Shortest match of a sequence; its length is written without these bytes. */
const MIN_MATCH = 4;

interface FrameDescriptor {
  readonly independentBlocks: boolean;
  readonly blockChecksums: boolean;
  readonly contentChecksum: boolean;
  /** -1 if the frame does not say. */
  readonly contentBytes: number;
  readonly maxBlockBytes: number;
}

/**
 * Decodes exactly one frame. Throws `CorruptError`, also for bytes after the frame and for a
 * checksum that fails, and `DecompressedTooLargeError` beyond `maxBytes`.
 */
export function decodeLz4Frame(input: Uint8Array, maxBytes: number): Uint8Array {
  const reader = new ByteReader(input);
  const frame = readDescriptor(reader);
  const output = new BoundedOutput(input.length * 4, maxBytes);
  for (;;) {
    const word = reader.uint32le();
    if (word === 0) break;
    readBlock(reader, frame, word, output);
  }
  const content = output.toBytes();
  if (frame.contentBytes !== -1 && frame.contentBytes !== content.length) {
    throw new CorruptError(
      `an lz4 frame claims ${frame.contentBytes} bytes and holds ${content.length}`,
    );
  }
  if (frame.contentChecksum && reader.uint32le() !== xxhash32(content)) {
    throw new CorruptError('the content of an lz4 frame fails its checksum');
  }
  if (reader.remaining > 0) {
    throw new CorruptError(`${reader.remaining} bytes follow the end of an lz4 frame`);
  }
  return content;
}

function readDescriptor(reader: ByteReader): FrameDescriptor {
  if (reader.uint32le() !== MAGIC) throw new CorruptError('an lz4 frame begins with 04 22 4d 18');
  const start = reader.position;
  const flags = reader.uint8();
  const blockDescriptor = reader.uint8();
  const contentBytes = flags & 0x08 ? readContentBytes(reader) : -1;
  if (flags & 0x01) throw new CorruptError('an lz4 frame names a dictionary, which none can here');
  const checked = reader.bytes.subarray(start, reader.position);
  if (reader.uint8() !== ((xxhash32(checked) >>> 8) & 0xff)) {
    throw new CorruptError('the header of an lz4 frame fails its checksum');
  }
  const blockClass = blockDescriptor >>> 4;
  if (flags >>> 6 !== VERSION || flags & 0x02 || blockDescriptor & 0x8f || blockClass < 4) {
    throw new CorruptError(`an lz4 frame has the unknown options ${flags}, ${blockDescriptor}`);
  }
  return {
    independentBlocks: (flags & 0x20) !== 0,
    blockChecksums: (flags & 0x10) !== 0,
    contentChecksum: (flags & 0x04) !== 0,
    contentBytes,
    maxBlockBytes: 2 ** (8 + 2 * blockClass),
  };
}

function readContentBytes(reader: ByteReader): number {
  const low = reader.uint32le();
  return reader.uint32le() * 0x1_0000_0000 + low;
}

function readBlock(
  reader: ByteReader,
  frame: FrameDescriptor,
  word: number,
  output: BoundedOutput,
): void {
  const isStored = word >= STORED;
  const size = isStored ? word - STORED : word;
  if (size > frame.maxBlockBytes) {
    throw new CorruptError(
      `an lz4 block of ${size} bytes is in a frame of at most ${frame.maxBlockBytes}`,
    );
  }
  const block = reader.view(size);
  if (frame.blockChecksums && reader.uint32le() !== xxhash32(block)) {
    throw new CorruptError('an lz4 block fails its checksum');
  }
  const start = output.length;
  if (isStored) output.literal(block, 0, size);
  else decodeBlock(block, output, frame.independentBlocks ? start : 0);
  if (output.length - start > frame.maxBlockBytes) {
    throw new CorruptError(
      `an lz4 block is longer than the ${frame.maxBlockBytes} bytes of its frame`,
    );
  }
}

/**
 * One block: sequences of a token (4 bits of literal length, 4 bits of match length; 15 goes on in
 * bytes until one below 255), the literals, the distance of the match u16. The last sequence ends
 * after its literals.
 * Hot path: positions only, no allocation per sequence.
 */
function decodeBlock(block: Uint8Array, output: BoundedOutput, windowStart: number): void {
  const end = block.length;
  let at = 0;
  while (at < end) {
    const token = block[at++]!;
    let literals = token >>> 4;
    if (literals === 15) {
      let more = 255;
      while (more === 255 && at < end) literals += more = block[at++]!;
    }
    if (literals > end - at) throw new CorruptError('an lz4 block ends within its literals');
    output.literal(block, at, literals);
    at += literals;
    if (at === end) return;

    if (end - at < 2) break;
    const distance = block[at]! | (block[at + 1]! << 8);
    at += 2;
    let count = (token & 15) + MIN_MATCH;
    if ((token & 15) === 15) {
      let more = 255;
      while (more === 255 && at < end) count += more = block[at++]!;
    }
    output.repeat(distance, count, windowStart);
  }
  throw new CorruptError('an lz4 block ends within a sequence');
}
