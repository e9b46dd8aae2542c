import { CorruptError } from '../codec/reader.ts';
import type { Timer, Timers } from '../env/ports.ts';
import { type Channel, type MessageStream, RpcCode, type RpcStatus } from '../rpc/transport.ts';
import { type ExchangeResponse, exchangeMethod, type Hello, Refusal } from './peer-frames.ts';

/** Bytes that the peer may not have received yet; one message may go beyond. A heartbeat waits behind no more. */
const WINDOW_BYTES = 2 * 1024 * 1024;
/** Slower than this, in bytes a second, a peer counts as gone. */
const SLOWEST_BYTES = 1024 * 1024;
/** How often in a row a look finds that nothing has come, until the peer counts as gone. */
const MISSES_MAX = 3;
/** For connecting, with TLS, and the answer to the hello. */
const HELLO_TIMEOUT_MS = 3_000;

const SILENT: RpcStatus = {
  code: RpcCode.DEADLINE_EXCEEDED,
  message: 'the peer has not answered for too long',
};
const CLOSED: RpcStatus = { code: RpcCode.CANCELLED, message: 'the connection was closed' };

/** What a stream to a peer tells. Nothing comes after `ended` or `refused`. */
export interface PeerStreamEvents {
  accepted(): void;
  /** The peer answers also what is sent after the hello. */
  proved(): void;
  refused(response: ExchangeResponse): void;
  /** There is room again. */
  drained(): void;
  ended(status: RpcStatus): void;
}

/**
 * One stream to a peer, from the hello to its end. The peer tells how much it has received, at least when it
 * is asked: so what is under way is bounded, whatever lies in buffers in between, and a connection that is
 * dead without a word is noticed. A process that stood still itself accuses nobody, as it looks again, and
 * takes in what has come, before it judges.
 */
export class PeerStream {
  readonly #stream: MessageStream;
  readonly #channel: Channel;
  readonly #timers: Timers;
  readonly #lookMs: number;
  readonly #events: PeerStreamEvents;
  #sentBytes = 0;
  #receivedBytes = 0;
  #isAccepted = false;
  #isOver = false;
  /** A ping, or a message, is not answered. */
  #isWaiting = false;
  #misses = 0;
  #wasFull = false;
  #timer: Timer;

  /** @param lookMs how often a look is taken whether the peer is there */
  constructor(
    channel: Channel,
    hello: Hello,
    parts: { readonly timers: Timers; readonly lookMs: number; readonly events: PeerStreamEvents },
  ) {
    this.#channel = channel;
    this.#timers = parts.timers;
    this.#lookMs = parts.lookMs;
    this.#events = parts.events;
    this.#stream = channel.stream(exchangeMethod.path, {
      onMessage: (encoded) => this.#answered(encoded),
      // What the peer has received says more.
      onDrain: () => {},
      onEnd: () => this.#end({ code: RpcCode.UNAVAILABLE, message: 'the peer ended the stream' }),
      onClose: (status) => this.#end(status),
    });
    this.#timer = parts.timers.after(HELLO_TIMEOUT_MS, () => this.#end(SILENT));
    this.send(exchangeMethod.request.encode({ kind: 'hello', hello }));
  }

  /** Bulk may be sent. */
  get hasRoom(): boolean {
    return this.#sentBytes - this.#receivedBytes < WINDOW_BYTES;
  }

  /** Sends a frame, also if there is no room; after the end it does nothing. */
  send(frame: Uint8Array): void {
    if (this.#isOver) return;
    this.#sentBytes += frame.length;
    this.#stream.send(frame);
    if (!this.hasRoom) this.#wasFull = true;
  }

  /** Ends the stream and its channel; `ended` is not called. */
  close(): Promise<void> {
    this.#stop(CLOSED);
    return this.#channel.close();
  }

  #answered(encoded: Uint8Array): void {
    if (this.#isOver) return;
    const response = decodeResponse(encoded);
    if (response === undefined) {
      this.#end({ code: RpcCode.INTERNAL, message: 'the peer sends malformed answers' });
    } else if (response.refusal !== Refusal.NONE) {
      this.#stop(CLOSED);
      this.#events.refused(response);
    } else {
      this.#heard(response.receivedBytes);
    }
  }

  #heard(receivedBytes: number): void {
    this.#isWaiting = false;
    this.#misses = 0;
    // Not what was never sent: the window would grow.
    if (receivedBytes > this.#receivedBytes && receivedBytes <= this.#sentBytes) {
      this.#receivedBytes = receivedBytes;
    }
    if (!this.#isAccepted) {
      this.#isAccepted = true;
      this.#timer.cancel();
      this.#lookLater();
      this.#events.accepted();
      return;
    }
    this.#events.proved();
    if (!this.#wasFull || !this.hasRoom || this.#isOver) return;
    this.#wasFull = false;
    this.#events.drained();
  }

  #lookLater(): void {
    this.#timer = this.#timers.after(this.#lookMs, () => this.#look());
  }

  #look(): void {
    if (this.#isWaiting) {
      this.#misses++;
      // What is under way takes its time.
      const underWay = this.#sentBytes - this.#receivedBytes;
      const allowedMs = MISSES_MAX * this.#lookMs + (underWay * 1_000) / SLOWEST_BYTES;
      if (this.#misses * this.#lookMs >= allowedMs) {
        this.#end(SILENT);
        return;
      }
    } else {
      this.#isWaiting = true;
      this.send(PING);
    }
    this.#lookLater();
  }

  #end(status: RpcStatus): void {
    if (this.#isOver) return;
    this.#stop(status);
    this.#events.ended(status);
  }

  #stop(status: RpcStatus): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#timer.cancel();
    this.#stream.fail(status);
    void this.#channel.close();
  }
}

const PING = exchangeMethod.request.encode({ kind: 'ping' });

function decodeResponse(encoded: Uint8Array): ExchangeResponse | undefined {
  try {
    return exchangeMethod.response.decode(encoded);
  } catch (error) {
    if (error instanceof CorruptError) return undefined;
    throw error;
  }
}
