/** The same bytes as a `Buffer`, which grpc-js asks for. */
export const toBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/**
 * The same bytes as a plain `Uint8Array`. A `Buffer` is one too, but its `slice` is a view where
 * everybody else's is a copy, and code that meets both kinds runs slower.
 */
export const toBytes = (buffer: Buffer): Uint8Array =>
  new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);

/** A copy of all pieces, one after another. */
export const joined = (pieces: readonly Uint8Array[]): Uint8Array => toBytes(Buffer.concat(pieces));
