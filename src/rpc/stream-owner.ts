import type { RpcStatus, StreamEvents } from './transport.ts';

/**
 * Stands between a transport and the owner of a stream and keeps the promises of `StreamEvents`:
 * `onClose` comes once and last, `onEnd` once, and what the owner throws does not escape into the
 * transport.
 */
export class StreamOwner {
  readonly #onThrow: (error: unknown) => void;
  /** Undefined until the owner is known, and after it was told of the end. */
  #events: StreamEvents | undefined;
  #ended = false;

  /** @param onThrow is told what the owner threw; it reports it and ends the stream */
  constructor(onThrow: (error: unknown) => void) {
    this.#onThrow = onThrow;
  }

  attach(events: StreamEvents): void {
    this.#events = events;
  }

  message(bytes: Uint8Array): void {
    this.#tell((events) => events.onMessage(bytes));
  }

  drain(): void {
    this.#tell((events) => events.onDrain());
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#tell((events) => events.onEnd());
  }

  close(status: RpcStatus): void {
    const events = this.#events;
    this.#events = undefined;
    if (events !== undefined) this.#guard(() => events.onClose(status));
  }

  #tell(call: (events: StreamEvents) => void): void {
    const events = this.#events;
    if (events !== undefined) this.#guard(() => call(events));
  }

  #guard(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#onThrow(error);
    }
  }
}
