import type { Wire } from '../../../src/kafka/connection.ts';

/** The socket below a connection, as a test holds it in its hands. */
export class TwinWire implements Wire {
  /** What was written, a frame each. */
  readonly frames: Buffer[] = [];
  isPaused = false;
  end: 'open' | 'graceful' | 'cut' = 'open';
  /** Does not take more until `drain`. */
  isFull = false;
  /** Keeps what is written, instead of giving it to the system at once. */
  isSlow = false;
  readonly #unsent: (() => void)[] = [];

  write(pieces: readonly Uint8Array[], sent: () => void): boolean {
    if (this.end === 'open') this.frames.push(Buffer.concat(pieces));
    this.#unsent.push(sent);
    // As a socket does it: never inside `write`.
    if (!this.isSlow) queueMicrotask(() => this.takeAll());
    return !this.isFull;
  }

  /** The system takes the oldest write. */
  take(): void {
    this.#unsent.shift()?.();
  }

  takeAll(): void {
    while (this.#unsent.length > 0) this.take();
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  close(isGraceful: boolean): void {
    if (this.end !== 'open') return;
    this.end = isGraceful ? 'graceful' : 'cut';
    queueMicrotask(() => this.takeAll());
  }

  /** Correlation ids of the answers, in the order in which they were sent. */
  get answered(): number[] {
    return this.frames.map((frame) => frame.readInt32BE(4));
  }
}
