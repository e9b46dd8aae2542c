/** A sender is asked to wait when so much of what it sent has not left yet. */
export const SEND_HIGH_BYTES: number = 2 * 1024 * 1024;
/** It is told to go on when no more than this is left. */
export const SEND_LOW_BYTES: number = 1024 * 1024;
/** What a queued message costs beside its bytes, so that empty ones count too. */
const MESSAGE_OVERHEAD_BYTES = 256;

/** Counts what a stream was given to send and has not sent yet, in bytes instead of messages. */
export class SendGauge {
  #bytes = 0;
  #asksToWait = false;

  /** A message was handed over. False if the sender is to wait. */
  queued(messageBytes: number): boolean {
    this.#bytes += messageBytes + MESSAGE_OVERHEAD_BYTES;
    if (this.#bytes > SEND_HIGH_BYTES) this.#asksToWait = true;
    return !this.#asksToWait;
  }

  /** A message has left. True if a sender that was asked to wait can go on. */
  sent(messageBytes: number): boolean {
    this.#bytes -= messageBytes + MESSAGE_OVERHEAD_BYTES;
    if (!this.#asksToWait || this.#bytes > SEND_LOW_BYTES) return false;
    this.#asksToWait = false;
    return true;
  }
}
