import { createRequire } from 'node:module';

type Crc32c = (bytes: Uint8Array, seed: number) => number;

/** The Castagnoli polynomial, bits reversed. */
const POLYNOMIAL = 0x82f63b78;
/** Below this the call into native code costs more than it saves (about 120 ns a call). */
const NATIVE_FROM_BYTES = 256;

const tables = makeTables();
/** Null if it was looked for and is not there. */
let native: Crc32c | null | undefined;

/**
 * CRC-32C (RFC 3720 B.4) as an unsigned number. `seed` is the checksum of what came before:
 * `crc32c(b, crc32c(a))` is the checksum of `a` followed by `b`.
 */
export function crc32c(bytes: Uint8Array, seed = 0): number {
  if (native && bytes.length >= NATIVE_FROM_BYTES) return native(bytes, seed);
  return slicedCrc32c(bytes, seed);
}

/**
 * Lets `crc32c` use the processor's instruction from now on, in the whole process; results stay the
 * same. False if the optional package is not installed for this platform: all goes on without it.
 * The first call loads native code, which takes some 10 ms.
 */
export function useNativeCrc32c(): boolean {
  if (native === undefined) native = loadNative();
  return native !== null;
}

function loadNative(): Crc32c | null {
  try {
    return createRequire(import.meta.url)('@node-rs/crc32').crc32c as Crc32c;
  } catch {
    return null;
  }
}

/**
 * Sixteen bytes a step (slicing-by-16): table k holds the checksum of a byte that k zero bytes follow.
 * Hot path: 32-bit integers only, and four bytes a load.
 */
function slicedCrc32c(bytes: Uint8Array, seed: number): number {
  const table = tables;
  const end = bytes.length;
  const slicedEnd = end - (end % 16);
  let crc = ~seed;
  let at = 0;
  if (slicedEnd > 0) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, end);
    for (; at < slicedEnd; at += 16) {
      const a = view.getInt32(at, true) ^ crc;
      const b = view.getInt32(at + 4, true);
      const c = view.getInt32(at + 8, true);
      const d = view.getInt32(at + 12, true);
      crc =
        table[0xf00 + (a & 0xff)]! ^
        table[0xe00 + ((a >>> 8) & 0xff)]! ^
        table[0xd00 + ((a >>> 16) & 0xff)]! ^
        table[0xc00 + (a >>> 24)]! ^
        table[0xb00 + (b & 0xff)]! ^
        table[0xa00 + ((b >>> 8) & 0xff)]! ^
        table[0x900 + ((b >>> 16) & 0xff)]! ^
        table[0x800 + (b >>> 24)]! ^
        table[0x700 + (c & 0xff)]! ^
        table[0x600 + ((c >>> 8) & 0xff)]! ^
        table[0x500 + ((c >>> 16) & 0xff)]! ^
        table[0x400 + (c >>> 24)]! ^
        table[0x300 + (d & 0xff)]! ^
        table[0x200 + ((d >>> 8) & 0xff)]! ^
        table[0x100 + ((d >>> 16) & 0xff)]! ^
        table[d >>> 24]!;
    }
  }
  for (; at < end; at++) crc = (crc >>> 8) ^ table[(crc ^ bytes[at]!) & 0xff]!;
  return ~crc >>> 0;
}

/** Sixteen tables of 256 entries, one after another. */
function makeTables(): Int32Array {
  const made = new Int32Array(16 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? POLYNOMIAL : 0);
    made[byte] = crc;
  }
  for (let at = 256; at < made.length; at++) {
    const shorter = made[at - 256]!;
    made[at] = (shorter >>> 8) ^ made[shorter & 0xff]!;
  }
  return made;
}
