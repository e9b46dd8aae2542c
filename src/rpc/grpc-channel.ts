import { checkServerIdentity } from 'node:tls';
import {
  ChannelCredentials,
  Client,
  type ClientDuplexStream,
  type ClientOptions,
  Metadata,
  type StatusObject,
} from '@grpc/grpc-js';
import type { Clock } from '../env/ports.ts';
import { type Address, formatAddress, parseAddress } from './address.ts';
import { isOutcome, rpcStatusOf } from './error-message.ts';
import { fromGrpcStatus } from './grpc-status.ts';
import { joined, toBuffer, toBytes } from './plain-bytes.ts';
import { SendGauge } from './send-gauge.ts';
import { StreamOwner } from './stream-owner.ts';
import {
  type CallOptions,
  type Channel,
  type ConnectOptions,
  type MessageStream,
  RpcCode,
  RpcError,
  type RpcStatus,
  type StreamEvents,
  type TlsOptions,
} from './transport.ts';

/** Bytes that a broker may send before we have taken them (DESIGN D5). */
const RECEIVE_WINDOW_BYTES = 4 * 1024 * 1024;
const CHANNEL_CLOSED: RpcStatus = { code: RpcCode.CANCELLED, message: 'the channel was closed' };
const CALLER_ABORTED: RpcStatus = { code: RpcCode.CANCELLED, message: 'the caller gave up' };

/** The client's half of `GrpcTransport`: one HTTP/2 connection of its own to one address. */
export class GrpcChannel implements Channel {
  readonly #clock: Clock;
  readonly #reportUnexpected: (error: unknown) => void;
  readonly #client: Client;
  /** Ends a call or stream that is open, and resolves when its owner has been told. */
  readonly #open = new Set<{ fail(status: RpcStatus): void; readonly done: Promise<void> }>();
  #closed = false;

  constructor(
    address: string,
    options: ConnectOptions,
    env: { clock: Clock; reportUnexpected: (error: unknown) => void },
  ) {
    this.#clock = env.clock;
    this.#reportUnexpected = env.reportUnexpected;
    const parsed = parseAddress(address);
    this.#client = new Client(
      `dns:${formatAddress(parsed)}`,
      clientCredentials(options.tls, parsed),
      {
        ...clientOptions(options.maxMessageBytes),
        ...(isNumber(parsed) ? { 'grpc.ssl_target_name_override': NO_NAME } : {}),
      },
    );
  }

  async unary(path: string, request: Uint8Array, options: CallOptions): Promise<Uint8Array> {
    const { timeoutMs, signal } = options;
    if (signal?.aborted) throw new RpcError({ ...CALLER_ABORTED, neverSent: true });
    if (this.#closed) throw new RpcError({ ...CHANNEL_CLOSED, neverSent: true });
    const answer = Promise.withResolvers<Uint8Array>();
    const done = Promise.withResolvers<void>();
    let failure: RpcStatus | undefined;
    const deadline = this.#clock.wallMs() + timeoutMs;
    const call = this.#client.makeUnaryRequest(
      path,
      toBuffer,
      toBytes,
      request,
      new Metadata(),
      { deadline },
      (error, response) => {
        if (error === null) answer.resolve(response!);
        else answer.reject(new RpcError(failure ?? fromGrpcStatus(error)));
      },
    );
    const fail = (status: RpcStatus): void => {
      // As long as there is no connection, the peer is what the channel was made for.
      failure = call.getPeer().startsWith('dns:') ? { ...status, neverSent: true } : status;
      call.cancel();
    };
    const open = { fail, done: done.promise };
    const abort = (): void => fail(CALLER_ABORTED);
    this.#open.add(open);
    signal?.addEventListener('abort', abort, { once: true });
    try {
      return await answer.promise;
    } finally {
      signal?.removeEventListener('abort', abort);
      this.#open.delete(open);
      done.resolve();
    }
  }

  stream(path: string, events: StreamEvents): MessageStream {
    if (this.#closed) return closedStream(events, this.#reportUnexpected);
    const stream = new GrpcClientStream(
      this.#client.makeBidiStreamRequest<Uint8Array, Uint8Array>(path, toBuffer, toBytes),
      events,
      this.#reportUnexpected,
    );
    this.#open.add(stream);
    void stream.done.then(() => this.#open.delete(stream));
    return stream;
  }

  async close(): Promise<void> {
    this.#closed = true;
    const open = [...this.#open];
    for (const one of open) one.fail(CHANNEL_CLOSED);
    await Promise.all(open.map((one) => one.done));
    this.#client.close();
  }
}

/** The client's side of one stream. */
class GrpcClientStream implements MessageStream {
  readonly #duplex: ClientDuplexStream<Uint8Array, Uint8Array>;
  readonly #owner: StreamOwner;
  readonly #gauge = new SendGauge();
  readonly #done = Promise.withResolvers<void>();
  /** Why we gave up, if we did. */
  #failure: RpcStatus | undefined;
  #status: RpcStatus | undefined;
  #sentEnd = false;
  #receivedEnd = false;
  #closed = false;

  constructor(
    duplex: ClientDuplexStream<Uint8Array, Uint8Array>,
    events: StreamEvents,
    reportUnexpected: (error: unknown) => void,
  ) {
    this.#duplex = duplex;
    this.#owner = new StreamOwner((error) => {
      if (!isOutcome(error)) reportUnexpected(error);
      this.fail(rpcStatusOf(error));
    });
    this.#owner.attach(events);
    duplex.on('data', (message: Uint8Array) => {
      if (this.#failure === undefined) this.#owner.message(message);
    });
    duplex.on('end', () => {
      this.#receivedEnd = true;
      if (this.#failure === undefined) this.#owner.end();
      this.#closeIfOver();
    });
    duplex.on('status', (status: StatusObject) => {
      this.#status = fromGrpcStatus(status);
      this.#closeIfOver();
    });
    // The status says the same, but an error that nobody listens for would end the process.
    duplex.on('error', () => {});
  }

  get done(): Promise<void> {
    return this.#done.promise;
  }

  get #isSending(): boolean {
    return !this.#sentEnd && this.#failure === undefined && this.#status === undefined;
  }

  send(message: Uint8Array): boolean {
    if (!this.#isSending) return false;
    this.#duplex.write(message, () => {
      if (this.#gauge.sent(message.length) && this.#isSending) this.#owner.drain();
    });
    return this.#gauge.queued(message.length);
  }

  sendPieces(pieces: readonly Uint8Array[], sent: () => void): boolean {
    if (!this.#isSending) return false;
    queueMicrotask(sent);
    return this.send(joined(pieces));
  }

  pause(): void {
    this.#duplex.pause();
  }

  resume(): void {
    this.#duplex.resume();
  }

  end(): void {
    if (!this.#isSending) return;
    this.#sentEnd = true;
    this.#duplex.end();
  }

  fail(status: RpcStatus): void {
    if (this.#failure !== undefined || this.#closed) return;
    this.#failure = status;
    this.#duplex.cancel();
    // With a status there already (and messages still to be read) no other will come.
    if (this.#status !== undefined) queueMicrotask(() => this.#closeIfOver());
  }

  /** After OK the messages that are still to be read come first; an error does not wait for them. */
  #closeIfOver(): void {
    if (this.#status === undefined || this.#closed) return;
    if (this.#status.code === RpcCode.OK && !this.#receivedEnd && this.#failure === undefined) {
      return;
    }
    this.#closed = true;
    this.#owner.close(this.#failure ?? this.#status);
    this.#duplex.destroy();
    this.#done.resolve();
  }
}

function closedStream(
  events: StreamEvents,
  reportUnexpected: (error: unknown) => void,
): MessageStream {
  const owner = new StreamOwner(reportUnexpected);
  owner.attach(events);
  queueMicrotask(() => owner.close(CHANNEL_CLOSED));
  return {
    send: () => false,
    sendPieces: () => false,
    pause() {},
    resume() {},
    end() {},
    fail() {},
  };
}

function clientOptions(maxMessageBytes: number): ClientOptions {
  return {
    'grpc.max_receive_message_length': maxMessageBytes,
    'grpc.max_send_message_length': -1,
    'grpc-node.flow_control_window': RECEIVE_WINDOW_BYTES,
    'grpc.keepalive_time_ms': 30_000,
    'grpc.keepalive_timeout_ms': 10_000,
    'grpc.keepalive_permit_without_calls': 1,
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 5_000,
    'grpc.dns_min_time_between_resolutions_ms': 5_000,
    // A channel is one connection of its own: equal channels would share one and its windows.
    'grpc.use_local_subchannel_pool': 1,
    // Who may repeat a call is decided above, never here. And what lies in the buffer for repetitions
    // counts as sent, which would hide from the sender that the peer does not keep up.
    'grpc.enable_retries': 0,
    'grpc.per_rpc_retry_buffer_size': 0,
    // Neither DNS records nor proxy variables of the environment may change how brokers are reached.
    'grpc.service_config_disable_resolution': 1,
    'grpc.enable_http_proxy': 0,
  };
}

/**
 * grpc-js sends the host as the TLS server name, and newer versions of Node refuse that for a number.
 * So a name that cannot exist is sent, and the certificate is checked against the number.
 */
const NO_NAME = 'number.invalid';

const isNumber = ({ host }: Address): boolean => host.includes(':') || /^[\d.]+$/.test(host);

function clientCredentials(tls: TlsOptions | undefined, address: Address): ChannelCredentials {
  if (tls === undefined) return ChannelCredentials.createInsecure();
  const { ca, cert, key } = tls;
  return ChannelCredentials.createSsl(
    ca === undefined ? null : toBuffer(ca),
    key === undefined ? null : toBuffer(key),
    cert === undefined ? null : toBuffer(cert),
    { checkServerIdentity: (_name, peer) => checkServerIdentity(address.host, peer) },
  );
}
