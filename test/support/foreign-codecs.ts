import { lz4Compress, snappyCompress } from '@platformatic/wasm-utils';

// Blocks and frames that another implementation makes. It can make none of no bytes once its memory has grown,
// as it looks for that only when it is given something: what it writes for them stands here.
// biome-ignore format: fields of the frame
const EMPTY_LZ4 = Uint8Array.of(
  0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82, 0, 0, 0, 0);
const EMPTY_SNAPPY = Uint8Array.of(0);

export const foreignLz4 = (bytes: Uint8Array): Uint8Array =>
  bytes.length === 0 ? EMPTY_LZ4 : lz4Compress(Buffer.from(bytes));

export const foreignSnappy = (bytes: Uint8Array): Uint8Array =>
  bytes.length === 0 ? EMPTY_SNAPPY : snappyCompress(Buffer.from(bytes));
