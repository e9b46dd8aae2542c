import type { Timers } from '../env/ports.ts';
import { isOutcome, rpcStatusOf } from './error-message.ts';
import { joined } from './plain-bytes.ts';
import { SendGauge } from './send-gauge.ts';
import { StreamOwner } from './stream-owner.ts';
import { type MessageStream, RpcCode, type RpcStatus, type StreamEvents } from './transport.ts';

const OK: RpcStatus = { code: RpcCode.OK, message: '' };

const PEER_IS_GONE: RpcStatus = {
  code: RpcCode.CANCELLED,
  message: 'the peer cancelled the stream',
};

export interface InProcessEndOptions {
  readonly side: 'client' | 'server';
  /** Largest message that this end accepts. */
  readonly maxMessageBytes: number;
  readonly reportUnexpected: (error: unknown) => void;
  /** Called after the owner was told of the close. */
  readonly onClosed: (status: RpcStatus) => void;
}

/**
 * One end of a stream inside the process. What an end tells its owner is told in turns of its own:
 * each delivers what had arrived when it began.
 */
export class InProcessEnd implements MessageStream {
  readonly #options: InProcessEndOptions;
  readonly #timers: Timers;
  readonly #owner: StreamOwner;
  readonly #gauge = new SendGauge();
  /** Sent by the peer and not delivered yet; the peer's gauge counts them. */
  readonly #inbox: Uint8Array[] = [];
  #peer: InProcessEnd | undefined;
  #hasOwner = false;
  #turnIsDue = false;
  #drainIsDue = false;
  #paused = false;
  #sentEnd = false;
  #peerSentEnd = false;
  /** How the stream ends here, once that is known; the owner is told in the next turn. */
  #outcome: RpcStatus | undefined;
  /** What has arrived comes before the outcome. */
  #deliversFirst = false;
  #closed = false;

  constructor(options: InProcessEndOptions, timers: Timers) {
    this.#options = options;
    this.#timers = timers;
    this.#owner = new StreamOwner((error) => {
      if (!isOutcome(error)) options.reportUnexpected(error);
      this.fail(rpcStatusOf(error));
    });
  }

  /** Ties two ends together. */
  static connect(client: InProcessEnd, server: InProcessEnd): void {
    client.#peer = server;
    server.#peer = client;
  }

  /** Until then what arrives waits. */
  attach(events: StreamEvents): void {
    this.#owner.attach(events);
    this.#hasOwner = true;
    this.#schedule();
  }

  /** The stream ends here with `status`, if it does not end otherwise already. */
  cut(status: RpcStatus): void {
    if (this.#outcome !== undefined) return;
    this.#outcome = status;
    this.#schedule();
  }

  send(message: Uint8Array): boolean {
    const peer = this.#peer;
    if (peer === undefined || this.#sentEnd || this.#outcome !== undefined) return false;
    const limit = peer.#options.maxMessageBytes;
    if (message.length > limit) {
      const status = tooLarge(message, limit);
      this.cut(this.#options.side === 'client' ? status : PEER_IS_GONE);
      peer.cut(status);
      return false;
    }
    peer.#inbox.push(message);
    peer.#schedule();
    return this.#gauge.queued(message.length);
  }

  sendPieces(pieces: readonly Uint8Array[], sent: () => void): boolean {
    if (this.#sentEnd || this.#outcome !== undefined) return false;
    queueMicrotask(sent);
    return this.send(joined(pieces));
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#schedule();
  }

  end(): void {
    if (this.#sentEnd || this.#outcome !== undefined) return;
    this.#sentEnd = true;
    if (this.#peer === undefined) return;
    this.#peer.#peerSentEnd = true;
    this.#peer.#schedule();
  }

  fail(status: RpcStatus): void {
    if (this.#options.side === 'client') {
      this.breakOff(status);
      return;
    }
    // A server that has ended its stream with OK cannot take that back.
    if (this.#sentEnd) return;
    this.cut(status);
    const peer = this.#peer;
    if (peer === undefined || peer.#outcome !== undefined) return;
    // As over a socket, the status comes behind what was sent before it.
    peer.#deliversFirst = true;
    peer.cut(status);
  }

  /** Ends the stream on both ends, whatever was under way. */
  breakOff(status: RpcStatus): void {
    this.cut(status);
    this.#peer?.cut(this.#options.side === 'server' ? status : PEER_IS_GONE);
  }

  #schedule(): void {
    if (this.#turnIsDue || this.#closed) return;
    this.#turnIsDue = true;
    this.#timers.nextTurn(() => {
      this.#turnIsDue = false;
      this.#turn();
    });
  }

  #turn(): void {
    if (this.#outcome !== undefined) {
      while (this.#deliversFirst && !this.#paused && this.#inbox.length > 0) {
        this.#owner.message(this.#inbox.shift()!);
      }
      this.#close(this.#outcome);
      return;
    }
    if (!this.#hasOwner) return;
    const peer = this.#peer;
    if (this.#drainIsDue) {
      this.#drainIsDue = false;
      if (!this.#sentEnd) this.#owner.drain();
    }
    // The owner may pause, end or fail the stream in each of these calls.
    for (let left = this.#inbox.length; left > 0 && this.#isReading; left--) {
      const message = this.#inbox.shift()!;
      if (peer !== undefined) peer.#delivered(message.length);
      this.#owner.message(message);
    }
    if (!this.#isReading) return;
    if (this.#inbox.length > 0) {
      this.#schedule();
    } else if (this.#peerSentEnd) {
      this.#owner.end();
      if (this.#options.side === 'client' && this.#outcome === undefined) {
        this.cut(OK);
        peer?.cut(OK);
      }
    }
  }

  /** A server that has ended the stream is told of nothing but its close. */
  get #isReading(): boolean {
    if (this.#paused || this.#outcome !== undefined) return false;
    return this.#options.side === 'client' || !this.#sentEnd;
  }

  #delivered(messageBytes: number): void {
    if (!this.#gauge.sent(messageBytes)) return;
    this.#drainIsDue = true;
    this.#schedule();
  }

  #close(status: RpcStatus): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#inbox.length = 0;
    this.#owner.close(status);
    this.#options.onClosed(status);
  }
}

export function tooLarge(message: Uint8Array, limit: number): RpcStatus {
  return {
    code: RpcCode.RESOURCE_EXHAUSTED,
    message: `a message of ${message.length} bytes is larger than the ${limit} that the peer accepts`,
  };
}
