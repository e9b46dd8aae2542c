import { CorruptError } from '../codec/reader.ts';

/** Memory that arriving frames are charged to. */
export interface IntakeMemory {
  /** False if there is no room. */
  tryHold(bytes: number): boolean;
}

const SIZE_BYTES = 4;
/** Memory of a frame grows with what has arrived of it, and never beyond so many times that. */
const MAX_GROWTH = 4;
const FIRST_BYTES = 1024;
/** One for all: an empty view of what came would keep the whole of it, 64 KiB a connection that is idle. */
const NOTHING = new Uint8Array(0);

/** A whole request, and what it holds of the memory; whoever has it gives that back. */
export interface Frame {
  readonly bytes: Uint8Array;
  readonly heldBytes: number;
}

/**
 * Cuts the bytes of a connection into frames: a size, int32, and so many bytes. What a frame takes is
 * held before it is taken, and no memory is taken for bytes that are only announced.
 */
export class FrameIntake {
  readonly #maxBytes: number;
  readonly #memory: IntakeMemory;
  /** Bytes of the size that have come, and the size as far as they tell. */
  #sizeBytes = 0;
  #size = 0;
  #frame: Uint8Array = NOTHING;
  #filled = 0;
  #heldBytes = 0;
  /** What came and could not be taken in yet. */
  #rest: Uint8Array = NOTHING;

  constructor(maxBytes: number, memory: IntakeMemory) {
    this.#maxBytes = maxBytes;
    this.#memory = memory;
  }

  /** What is held for a frame that is not whole. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Whether the first bytes of a frame are there and its last are not. */
  get isInFrame(): boolean {
    return this.#sizeBytes > 0;
  }

  /** Whether something came that is not taken in yet. */
  get hasRest(): boolean {
    return this.#rest.length > 0;
  }

  /** Takes in what arrived. Nothing may come while `next` has not said "more". */
  push(bytes: Uint8Array): void {
    this.#rest = bytes;
  }

  /**
   * The next frame; or `more` if all that came is taken in, or `no-room` if the memory is full: then it
   * is to be asked again when there is room.
   *
   * @throws CorruptError for a frame that is too large, or of a negative size
   */
  next(): Frame | 'more' | 'no-room' {
    while (this.#sizeBytes < SIZE_BYTES) {
      if (this.#rest.length === 0) return 'more';
      this.#size = (this.#size << 8) | this.#rest[0]!;
      this.#rest = restOf(this.#rest, 1);
      this.#sizeBytes++;
      if (this.#sizeBytes === SIZE_BYTES) this.#checkSize();
    }
    const count = Math.min(this.#size - this.#filled, this.#rest.length);
    if (!this.#makeRoom(this.#filled + count)) return 'no-room';
    this.#frame.set(this.#rest.subarray(0, count), this.#filled);
    this.#filled += count;
    this.#rest = restOf(this.#rest, count);
    if (this.#filled < this.#size) return 'more';
    const frame = { bytes: this.#frame.subarray(0, this.#size), heldBytes: this.#heldBytes };
    this.#sizeBytes = 0;
    this.#size = 0;
    this.#frame = NOTHING;
    this.#filled = 0;
    this.#heldBytes = 0;
    return frame;
  }

  #checkSize(): void {
    if (this.#size >= 0 && this.#size <= this.#maxBytes) return;
    throw new CorruptError(
      `a request of ${this.#size} bytes is announced, socket.request.max.bytes is ${this.#maxBytes}`,
    );
  }

  #makeRoom(bytes: number): boolean {
    if (bytes <= this.#frame.length) return true;
    const wanted = Math.max(FIRST_BYTES, bytes * MAX_GROWTH);
    const capacity = Math.min(this.#size, wanted);
    if (!this.#memory.tryHold(capacity - this.#heldBytes)) return false;
    this.#heldBytes = capacity;
    // Not zeroed: what is handed out has come.
    const frame = new Uint8Array(Buffer.allocUnsafeSlow(capacity).buffer);
    frame.set(this.#frame.subarray(0, this.#filled));
    this.#frame = frame;
    return true;
  }
}

const restOf = (bytes: Uint8Array, count: number): Uint8Array =>
  count < bytes.length ? bytes.subarray(count) : NOTHING;
