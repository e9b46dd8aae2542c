import type { ServerUnaryCall, sendUnaryData } from '@grpc/grpc-js';
import { isOutcome, rpcStatusOf } from './error-message.ts';
import { toGrpcStatus } from './grpc-status.ts';
import type { CallContext, RpcStatus } from './transport.ts';

export type UnaryHandler = (request: Uint8Array, context: CallContext) => Promise<Uint8Array>;

/** What the listener does for its calls and streams. */
export interface ServerCallbacks {
  readonly reportUnexpected: (error: unknown) => void;
  readonly onClosed: () => void;
}

/** One unary call on the server. The first of answer, `fail` and cancellation ends it. */
export class GrpcServerCall {
  readonly #call: ServerUnaryCall<Uint8Array, Uint8Array>;
  readonly #respond: sendUnaryData<Uint8Array>;
  readonly #callbacks: ServerCallbacks;
  readonly #gone = new AbortController();
  #isOpen = true;

  constructor(
    call: ServerUnaryCall<Uint8Array, Uint8Array>,
    respond: sendUnaryData<Uint8Array>,
    callbacks: ServerCallbacks,
  ) {
    this.#call = call;
    this.#respond = respond;
    this.#callbacks = callbacks;
    // The caller has gone or its deadline has passed; or, too late to matter, the answer has left.
    call.on('cancelled', () => {
      if (this.#close()) this.#gone.abort();
    });
  }

  async run(handler: UnaryHandler): Promise<void> {
    const context = { peer: peerName(this.#call.getPeer()), signal: this.#gone.signal };
    try {
      const response = await handler(this.#call.request, context);
      if (this.#close()) this.#respond(null, response);
    } catch (error) {
      if (!isOutcome(error)) this.#callbacks.reportUnexpected(error);
      if (this.#close()) this.#respond(toGrpcStatus(rpcStatusOf(error)));
    }
  }

  /** Answers without waiting for the handler, whose signal fires. */
  fail(status: RpcStatus): void {
    if (!this.#close()) return;
    this.#respond(toGrpcStatus(status));
    this.#gone.abort();
  }

  /** False if the call was closed before. */
  #close(): boolean {
    if (!this.#isOpen) return false;
    this.#isOpen = false;
    this.#callbacks.onClosed();
    return true;
  }
}

/** grpc-js writes `address:port` also for IPv6. */
export function peerName(peer: string): string {
  const at = peer.lastIndexOf(':');
  const host = peer.slice(0, at);
  return host.includes(':') ? `[${host}]${peer.slice(at)}` : peer;
}
