import { randomFillSync } from 'node:crypto';

/**
 * Record values made before the clock starts: views of one pool of random bytes, so they do not
 * compress. Each value handed out carries its own number in its first 8 bytes, so no two are ever
 * the same. A view comes round again after `count` others: `count` must exceed what a client may
 * still hold, or it would see a value change under its hands.
 */
export class ValuePool {
  readonly #values: readonly Uint8Array[];
  readonly #numbers: DataView;
  readonly #valueBytes: number;
  #next = 0;

  constructor(valueBytes: number, count: number) {
    if (valueBytes < NUMBER_BYTES) throw new Error(`a value of ${valueBytes} bytes has no room`);
    const pool = new Uint8Array(valueBytes * count);
    // The system's generator fills at most 2^31-1 bytes a call.
    for (let at = 0; at < pool.length; at += FILL_BYTES) {
      randomFillSync(pool, at, Math.min(FILL_BYTES, pool.length - at));
    }
    this.#numbers = new DataView(pool.buffer);
    this.#valueBytes = valueBytes;
    this.#values = Array.from({ length: count }, (_, i) =>
      pool.subarray(i * valueBytes, (i + 1) * valueBytes),
    );
  }

  /** The next value; numbers count up from 0. */
  next(): Uint8Array {
    const number = this.#next++;
    const slot = number % this.#values.length;
    const at = slot * this.#valueBytes;
    this.#numbers.setUint32(at, Math.floor(number / 0x1_0000_0000));
    this.#numbers.setUint32(at + 4, number % 0x1_0000_0000);
    return this.#values[slot]!;
  }
}

/** The number that `ValuePool` stamped into a value. */
export function valueNumber(value: Uint8Array): number {
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
  return view.getUint32(0) * 0x1_0000_0000 + view.getUint32(4);
}

const NUMBER_BYTES = 8;
const FILL_BYTES = 64 * 1024 * 1024;
