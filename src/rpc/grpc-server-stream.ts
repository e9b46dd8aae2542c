import type { ServerInterceptingCallInterface, ServerListener } from '@grpc/grpc-js';
import { totalLength } from '../codec/pieces.ts';
import type { Timer, Timers } from '../env/ports.ts';
import { isOutcome, rpcStatusOf } from './error-message.ts';
import { resetCall, sendMessage } from './grpc-internals.ts';
import { peerName, type ServerCallbacks } from './grpc-server-call.ts';
import { toGrpcStatus } from './grpc-status.ts';
import type { MessageIntake } from './message-intake.ts';
import { SendGauge } from './send-gauge.ts';
import { StreamOwner } from './stream-owner.ts';
import {
  type CallContext,
  type MessageStream,
  RpcCode,
  type RpcStatus,
  type StreamEvents,
} from './transport.ts';
import { Outbox, type SendingCall, type UnsentMessages } from './unsent-messages.ts';

/** How long a peer may take to read what stands before an error status; it stays in memory so long. */
const FAIL_GRACE_MS = 5_000;
/** The same before OK. */
const END_GRACE_MS = 60_000;

const PEER_IS_GONE: RpcStatus = {
  code: RpcCode.CANCELLED,
  message: 'the peer cancelled the stream or its connection ended',
};

export type StreamHandler = (stream: MessageStream, context: CallContext) => StreamEvents;

/**
 * The server's side of one stream, directly on grpc-js's interceptor interface. The Node stream that
 * grpc-js would put on top reads 16 messages ahead, whatever their size; here at most one message
 * beyond the HTTP/2 window is held for a paused owner.
 */
export class GrpcServerStream implements MessageStream, SendingCall {
  readonly #timers: Timers;
  readonly #call: ServerInterceptingCallInterface;
  readonly #intake: MessageIntake;
  readonly #callbacks: ServerCallbacks;
  readonly #owner: StreamOwner;
  readonly #gone = new AbortController();
  readonly #gauge = new SendGauge();
  readonly #outbox: Outbox;
  /** How we ended the stream; undefined while it is open for sending. */
  #outcome: RpcStatus | undefined;
  #resetTimer: Timer | undefined;
  #paused = false;
  /** The message asked for last has come: another may be asked for. */
  #mayRead = true;
  #reading = false;

  constructor(
    timers: Timers,
    call: ServerInterceptingCallInterface,
    intake: MessageIntake,
    unsent: UnsentMessages,
    callbacks: ServerCallbacks,
  ) {
    this.#timers = timers;
    this.#call = call;
    this.#intake = intake;
    this.#outbox = new Outbox(this, unsent);
    this.#callbacks = callbacks;
    this.#owner = new StreamOwner((error) => this.#threw(error));
  }

  /** What grpc-js tells us about the call; nothing is passed on to a handler of its own. */
  listen(handler: StreamHandler): ServerListener {
    return {
      onReceiveMetadata: () => this.#open(handler),
      onReceiveMessage: (message: Uint8Array) => {
        this.#mayRead = true;
        this.#intake.taken();
        if (this.#outcome === undefined) this.#owner.message(message);
        this.#read();
      },
      onReceiveHalfClose: () => {
        if (this.#outcome === undefined) this.#owner.end();
      },
      onCancel: () => this.#closed(),
    };
  }

  send(message: Uint8Array): boolean {
    return this.sendPieces([message], () => {});
  }

  sendPieces(pieces: readonly Uint8Array[], sent: () => void): boolean {
    if (this.#outcome !== undefined) return false;
    const bytes = totalLength(pieces);
    const keepsUp = this.#gauge.queued(bytes);
    this.#outbox.send(bytes, (left) =>
      sendMessage(this.#call, pieces, () => {
        sent();
        left();
        if (this.#gauge.sent(bytes) && this.#outcome === undefined) this.#owner.drain();
      }),
    );
    return keepsUp;
  }

  get peer(): string {
    return peerName(this.#call.getPeer());
  }

  /** Ends the stream at once: what waits to be sent is dropped. */
  cut(status: RpcStatus): void {
    if (this.#outcome === undefined) this.#outcome = status;
    this.#outbox.close();
    resetCall(this.#call);
  }

  pause(): void {
    this.#paused = true;
    this.#intake.isPaused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#intake.isPaused = false;
    // Reading can deliver a message that is there already, and not inside this call.
    queueMicrotask(() => this.#read());
  }

  end(): void {
    if (this.#outcome !== undefined) return;
    this.#finish({ code: RpcCode.OK, message: '' });
    this.#resetTimer = this.#timers.after(END_GRACE_MS, () => {
      this.#outcome = PEER_IS_GONE;
      resetCall(this.#call);
    });
  }

  fail(status: RpcStatus): void {
    if (this.#outcome === undefined) this.#finish(status);
    else if (this.#outcome.code !== RpcCode.OK) return;
    // An end cannot be taken back, but its peer is not waited for any longer than for this.
    this.#resetTimer?.cancel();
    this.#resetTimer = this.#timers.after(FAIL_GRACE_MS, () => {
      if (this.#outcome?.code === RpcCode.OK) this.#outcome = PEER_IS_GONE;
      resetCall(this.#call);
    });
  }

  #finish(status: RpcStatus): void {
    this.#outcome = status;
    this.#call.sendStatus(toGrpcStatus(status));
  }

  #open(handler: StreamHandler): void {
    try {
      this.#owner.attach(handler(this, { peer: this.peer, signal: this.#gone.signal }));
    } catch (error) {
      this.#threw(error);
    }
    this.#read();
  }

  /** Asks for one message after another; a loop, because asking can deliver at once. */
  #read(): void {
    if (this.#reading) return;
    this.#reading = true;
    while (this.#mayRead && !this.#paused && this.#outcome === undefined) {
      this.#mayRead = false;
      this.#call.startRead();
    }
    this.#reading = false;
  }

  /** grpc-js calls this at every end, also after our status has left. */
  #closed(): void {
    this.#resetTimer?.cancel();
    this.#intake.close();
    this.#outbox.close();
    const outcome = this.#outcome ?? PEER_IS_GONE;
    this.#outcome = outcome;
    if (outcome === PEER_IS_GONE) this.#gone.abort();
    this.#owner.close(outcome);
    this.#callbacks.onClosed();
  }

  #threw(error: unknown): void {
    if (!isOutcome(error)) this.#callbacks.reportUnexpected(error);
    this.fail(rpcStatusOf(error));
  }
}
