import type { Timers } from '../env/ports.ts';
import { isOutcome, rpcStatusOf } from './error-message.ts';
import type { InProcessListener, OpenCall } from './in-process-listener.ts';
import { InProcessEnd, tooLarge } from './in-process-stream.ts';
import {
  type CallOptions,
  type Channel,
  type ConnectOptions,
  type MessageStream,
  RpcCode,
  RpcError,
  type RpcStatus,
  type StreamEvents,
} from './transport.ts';

const PEER = 'in-process';

export interface InProcessNetwork {
  readonly reportUnexpected: (error: unknown) => void;
  /** Who listens at the address now; throws `RpcError` if nobody does. */
  readonly reach: () => InProcessListener;
}

/** The client's side of `InProcessTransport`; calls find their listener when they begin. */
export class InProcessChannel implements Channel {
  readonly #maxMessageBytes: number;
  readonly #timers: Timers;
  readonly #network: InProcessNetwork;
  readonly #open = new Set<OpenCall>();
  readonly #allClosed = Promise.withResolvers<void>();
  #closing = false;

  constructor(options: ConnectOptions, timers: Timers, network: InProcessNetwork) {
    this.#maxMessageBytes = options.maxMessageBytes;
    this.#timers = timers;
    this.#network = network;
  }

  async unary(path: string, request: Uint8Array, options: CallOptions): Promise<Uint8Array> {
    const { timeoutMs, signal } = options;
    if (signal?.aborted) throw new RpcError(unsent(cancelled('the caller gave up')));
    if (this.#closing) throw new RpcError(unsent(cancelled('the channel was closed')));
    const answer = Promise.withResolvers<Uint8Array>();
    const gone = new AbortController();
    let isSent = false;
    const call: OpenCall = {
      fail: (status) => {
        answer.reject(new RpcError(isSent ? status : unsent(status)));
        gone.abort();
      },
    };
    const abort = (): void => call.fail(cancelled('the caller gave up'));
    const deadline = this.#timers.after(timeoutMs, () =>
      call.fail({ code: RpcCode.DEADLINE_EXCEEDED, message: `no answer within ${timeoutMs} ms` }),
    );
    signal?.addEventListener('abort', abort, { once: true });
    this.#open.add(call);
    this.#timers.nextTurn(() => {
      // The caller may have given up meanwhile: then the server never hears of it.
      if (gone.signal.aborted) return;
      isSent = true;
      this.#serve(path, request, call, gone.signal).then(answer.resolve, answer.reject);
    });
    try {
      return await answer.promise;
    } finally {
      deadline.cancel();
      signal?.removeEventListener('abort', abort);
      this.#ended(call);
    }
  }

  stream(path: string, events: StreamEvents): MessageStream {
    const gone = new AbortController();
    const { reportUnexpected } = this.#network;
    const client = new InProcessEnd(
      {
        side: 'client',
        maxMessageBytes: this.#maxMessageBytes,
        reportUnexpected,
        onClosed: () => this.#ended(client),
      },
      this.#timers,
    );
    client.attach(events);
    this.#open.add(client);
    if (this.#closing) {
      client.cut(cancelled('the channel was closed'));
      return client;
    }
    const listener = this.#tryReach(path, client);
    if (listener === undefined) return client;
    const server = new InProcessEnd(
      {
        side: 'server',
        maxMessageBytes: listener.maxMessageBytes,
        reportUnexpected,
        onClosed: (status) => {
          if (status.code === RpcCode.CANCELLED) gone.abort();
          listener.ended(opened);
        },
      },
      this.#timers,
    );
    const opened: OpenCall = { fail: (status) => server.breakOff(status) };
    InProcessEnd.connect(client, server);
    listener.opened(opened);
    this.#timers.nextTurn(() => {
      try {
        const handler = listener.service.streams.get(path)!;
        server.attach(handler(server, { peer: PEER, signal: gone.signal }));
      } catch (error) {
        if (!isOutcome(error)) reportUnexpected(error);
        server.fail(rpcStatusOf(error));
      }
    });
    return client;
  }

  async close(): Promise<void> {
    this.#closing = true;
    for (const call of [...this.#open]) call.fail(cancelled('the channel was closed'));
    if (this.#open.size > 0) await this.#allClosed.promise;
  }

  #ended(call: OpenCall): void {
    this.#open.delete(call);
    if (this.#closing && this.#open.size === 0) this.#allClosed.resolve();
  }

  /** The listener, if it is there and has the stream; else the client's end is cut. */
  #tryReach(path: string, client: InProcessEnd): InProcessListener | undefined {
    try {
      const listener = this.#network.reach();
      if (listener.service.streams.has(path)) return listener;
      client.cut(unimplemented(path));
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      client.cut(error.status);
    }
    return undefined;
  }

  /** What happens on the server; everything it throws is an `RpcError`. */
  async #serve(
    path: string,
    request: Uint8Array,
    call: OpenCall,
    signal: AbortSignal,
  ): Promise<Uint8Array> {
    const listener = this.#network.reach();
    const handler = listener.service.unary.get(path);
    if (handler === undefined) throw new RpcError(unimplemented(path));
    checkSize(request, listener.maxMessageBytes);
    listener.opened(call);
    // The listener does not wait for a handler whose caller has been told already.
    signal.addEventListener('abort', () => listener.ended(call), { once: true });
    let response: Uint8Array;
    try {
      response = await handler(request, { peer: PEER, signal });
    } catch (error) {
      if (!isOutcome(error)) this.#network.reportUnexpected(error);
      throw new RpcError(rpcStatusOf(error));
    } finally {
      listener.ended(call);
    }
    checkSize(response, this.#maxMessageBytes);
    return response;
  }
}

function checkSize(message: Uint8Array, limit: number): void {
  if (message.length > limit) throw new RpcError(tooLarge(message, limit));
}

const unsent = (status: RpcStatus): RpcStatus => ({ ...status, neverSent: true });

const cancelled = (message: string): RpcStatus => ({ code: RpcCode.CANCELLED, message });

const unimplemented = (path: string): RpcStatus => ({
  code: RpcCode.UNIMPLEMENTED,
  message: `the server does not implement the method ${path}`,
});
