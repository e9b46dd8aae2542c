import { type ErrorRow, Errors } from '../model/errors.ts';
import { unaryHeapBytes } from './proto-codec.ts';
import type { MemoryAccount } from './transport.ts';

/** gRPC's frame of a message: one byte that says whether it is compressed, four for its length. */
const FRAME_BYTES = 5;
/** What a call takes as long as it is open, measured: HTTP/2's stream, grpc-js's call, ours. */
const CALL_BYTES = 16 * 1024;
/** What a message that waits costs beside its bytes, so that empty ones count too. */
const MESSAGE_OVERHEAD_BYTES = 512;
/** Pieces below this are gathered: as views of their own they would cost many times their bytes. */
const SMALL_PIECE_BYTES = 1024;
const BLOCK_BYTES = 8 * 1024;
const MIN_BLOCK_BYTES = 256;

export interface IntakeLimits {
  readonly maxMessageBytes: number;
  /** Of all calls together. */
  readonly memory: MemoryAccount;
}

/**
 * Puts together the messages that arrive on one call, in place of grpc-js's own decoder: that one keeps
 * a view for each HTTP/2 frame, so that a message in frames of one byte takes a hundred times its
 * bytes; and it knows no budget. What arrives is charged to the memory of all calls until `taken` or
 * `close` gives it back. What must be refused is refused once, and everything after it is dropped.
 */
export class MessageIntake {
  readonly #limits: IntakeLimits;
  readonly #refuse: (row: ErrorRow, detail: string) => void;
  readonly #header: Buffer = Buffer.alloc(FRAME_BYTES);
  #headerBytes = 0;
  /** What the header says of the message that is arriving. */
  #messageBytes = 0;
  /** Of the message that is arriving; its last piece may be growing at the end of `#block`. */
  #pieces: Buffer[] = [];
  #pieceBytes = 0;
  #block: Buffer | undefined;
  #blockBytes = 0;
  /** Charged for the call, for the message that is arriving, and for each that waits to be taken. */
  #callBytes = 0;
  #arrivingBytes = 0;
  readonly #waiting: number[] = [];
  #isClosed = false;
  #ticks = 0;
  /** Nobody waits for the rest of a message: we have stopped reading ourselves. */
  isPaused = false;
  /** A message is due from the beginning: the request of a unary call, until its client is done. */
  isAwaited = false;
  /** What is made of a request stays until the call ends. */
  isKept = false;

  constructor(limits: IntakeLimits, refuse: (row: ErrorRow, detail: string) => void) {
    this.#limits = limits;
    this.#refuse = refuse;
  }

  /** The call has begun, and will be closed. */
  open(): void {
    if (this.#charge(CALL_BYTES)) {
      this.#callBytes = CALL_BYTES;
      this.#arrivingBytes = 0;
    }
  }

  /** Whole messages, frames included, that end in `data`. */
  write(data: Buffer): Buffer[] {
    const messages: Buffer[] = [];
    let at = 0;
    while (at < data.length && !this.#isClosed) {
      at +=
        this.#headerBytes < FRAME_BYTES ? this.#readHeader(data, at) : this.#readPiece(data, at);
      if (this.#isComplete) messages.push(this.#take());
    }
    // Also those before the one that was refused: the call has ended.
    return this.#isClosed ? [] : messages;
  }

  /** The owner has the oldest of the messages that waited. */
  taken(): void {
    const bytes = this.#waiting.shift();
    if (bytes !== undefined) this.#limits.memory.give(bytes);
  }

  /** Nothing more is taken in, and everything is given back. */
  close(): void {
    this.#isClosed = true;
    for (const bytes of this.#waiting.splice(0)) this.#limits.memory.give(bytes);
    this.#limits.memory.give(this.#callBytes + this.#arrivingBytes);
    this.#callBytes = 0;
    this.#arrivingBytes = 0;
    this.#pieces = [];
    this.#block = undefined;
  }

  /** For how many calls of this, one after another, one and the same message has been due. */
  tick(): number {
    const isDue = this.isAwaited || (this.#headerBytes > 0 && !this.isPaused);
    this.#ticks = isDue && !this.#isClosed ? this.#ticks + 1 : 0;
    return this.#ticks;
  }

  get #isComplete(): boolean {
    if (this.#isClosed || this.#headerBytes < FRAME_BYTES) return false;
    return this.#pieceBytes === this.#messageBytes;
  }

  #readHeader(data: Buffer, at: number): number {
    const count = Math.min(FRAME_BYTES - this.#headerBytes, data.length - at);
    data.copy(this.#header, this.#headerBytes, at, at + count);
    this.#headerBytes += count;
    if (this.#headerBytes < FRAME_BYTES) return count;
    const { maxMessageBytes } = this.#limits;
    const bytes = this.#header.readUInt32BE(1);
    this.#messageBytes = bytes;
    if (bytes > maxMessageBytes) {
      const detail = `a message of ${bytes} bytes is larger than the ${maxMessageBytes} that are accepted`;
      this.#end(Errors.REQUEST_TOO_LARGE, detail);
    } else {
      // How much comes out of a compressed one is known when it is too late.
      const inflatedBytes = this.#header[0] === 0 ? 0 : maxMessageBytes;
      const keptBytes = this.isKept ? unaryHeapBytes(Math.max(bytes, inflatedBytes)) : 0;
      this.#charge(MESSAGE_OVERHEAD_BYTES + inflatedBytes + keptBytes);
    }
    return count;
  }

  #readPiece(data: Buffer, at: number): number {
    const count = Math.min(this.#messageBytes - this.#pieceBytes, data.length - at);
    if (!this.#charge(count)) return count;
    this.#pieceBytes += count;
    if (count >= SMALL_PIECE_BYTES) this.#pieces.push(data.subarray(at, at + count));
    else this.#gather(data.subarray(at, at + count));
    return count;
  }

  /** Copies a small piece to the end of the block, and lets the last piece grow if it ends there. */
  #gather(piece: Buffer): void {
    if (this.#block === undefined || this.#block.length - this.#blockBytes < piece.length) {
      const left = this.#messageBytes - this.#pieceBytes + piece.length;
      // No more than there is already: of a message that never comes little is paid for, and little taken.
      const bytes = Math.min(left, BLOCK_BYTES, Math.max(MIN_BLOCK_BYTES, this.#pieceBytes));
      this.#block = Buffer.allocUnsafeSlow(Math.max(bytes, piece.length));
      this.#blockBytes = 0;
    }
    const block = this.#block;
    const start = this.#blockBytes;
    piece.copy(block, start);
    this.#blockBytes += piece.length;
    const last = this.#pieces.at(-1);
    const grows = last?.buffer === block.buffer && last.byteOffset + last.length === start;
    if (grows)
      this.#pieces[this.#pieces.length - 1] = block.subarray(last.byteOffset, this.#blockBytes);
    else this.#pieces.push(block.subarray(start, this.#blockBytes));
  }

  #take(): Buffer {
    const length = FRAME_BYTES + this.#messageBytes;
    const message = Buffer.concat([this.#header, ...this.#pieces], length);
    this.#waiting.push(this.#arrivingBytes);
    this.#arrivingBytes = 0;
    this.#headerBytes = 0;
    this.#pieces = [];
    this.#pieceBytes = 0;
    this.#block = undefined;
    if (!this.isAwaited) this.#ticks = 0;
    return message;
  }

  /** False if the call had to be ended. */
  #charge(bytes: number): boolean {
    const { memory } = this.#limits;
    if (!memory.tryHold(bytes)) {
      this.#end(
        Errors.BROKER_OVERLOADED,
        `requests and answers take all the memory that they may; ${bytes} bytes more do not fit`,
      );
      return false;
    }
    this.#arrivingBytes += bytes;
    return true;
  }

  #end(row: ErrorRow, detail: string): void {
    this.close();
    this.#refuse(row, detail);
  }
}
