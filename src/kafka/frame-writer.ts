import { totalLength } from '../codec/pieces.ts';
import { ByteWriter } from '../codec/writer.ts';

const SIZE_BYTES = 4;

/**
 * Puts one frame together: its size, int32, then fields that are written here, and record batches that
 * are lent: they stand in the frame without being copied.
 */
export class FrameWriter {
  readonly fields: ByteWriter = new ByteWriter();
  /** Pieces, and before which byte of the fields they belong. */
  readonly #lent: { readonly at: number; readonly pieces: readonly Uint8Array[] }[] = [];

  constructor() {
    this.fields.int32(0);
  }

  /** Nobody may change the pieces before the frame is sent. */
  lend(pieces: readonly Uint8Array[]): void {
    if (pieces.length > 0) this.#lent.push({ at: this.fields.length, pieces });
  }

  /** The whole frame in pieces; nothing may be written any more. */
  finish(): Uint8Array[] {
    const { fields } = this;
    let size = fields.length - SIZE_BYTES;
    for (const { pieces } of this.#lent) size += totalLength(pieces);
    fields.setInt32(0, size);
    const bytes = fields.toBytes();
    const frame: Uint8Array[] = [];
    let from = 0;
    for (const { at, pieces } of this.#lent) {
      frame.push(bytes.subarray(from, at), ...pieces);
      from = at;
    }
    if (from < bytes.length) frame.push(bytes.subarray(from));
    return frame;
  }
}
