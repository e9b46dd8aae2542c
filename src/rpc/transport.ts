/**
 * How streams and calls enter and leave the program (DESIGN D11). Messages are encoded bytes here;
 * `method.ts` adds types. Twins: grpc-js, in-process, and a simulated one in `test/simulation`.
 */
export interface Transport {
  /** A connection that is made when first used and made anew after a failure. */
  connect(address: string, options: ConnectOptions): Channel;
  /** Starts to serve. `address` is `host:port`; port 0 picks a free one. */
  listen(address: string, service: ServerHandlers, options: ListenOptions): Promise<Listener>;
}

/** Certificates in PEM. With `ca` on a server, clients must present a certificate (mTLS). */
export interface TlsOptions {
  readonly ca?: Uint8Array;
  readonly cert?: Uint8Array;
  readonly key?: Uint8Array;
}

export interface ConnectOptions {
  readonly tls?: TlsOptions;
  /** Largest message accepted, in bytes. */
  readonly maxMessageBytes: number;
}

export interface ListenOptions extends ConnectOptions {
  /** Streams one connection may hold open. */
  readonly maxStreamsPerConnection: number;
  /** Connections that are open at a time; further ones are closed as they come. */
  readonly maxConnections: number;
  /** The same for those from one address. */
  readonly maxConnectionsPerAddress: number;
  /** Milliseconds until a connection must have done its handshakes, TLS and HTTP/2. */
  readonly handshakeTimeoutMs: number;
  /** A connection without a call is closed after so many milliseconds. */
  readonly connectionIdleMs: number;
  /** Milliseconds that a message may take to arrive, from its first byte; of a unary call, from the call. */
  readonly messageTimeoutMs: number;
  /** Milliseconds that a message may wait for its client to take it. */
  readonly stalledReaderMs: number;
  /** Charged for what has arrived and was not dealt with, and for what waits to be sent. */
  readonly memory: MemoryAccount;
  /** Told of connections and calls that were ended, by the name of the limit, or for another reason. */
  readonly onRefused: OnRefused;
  /** Root `.proto` files, relative to `proto/`, that reflection tells about; without them it is off. */
  readonly reflection?: readonly string[];
}

/** `detail` is what is not the same each time. */
export type OnRefused = (limit: string, peer: string, detail?: string) => void;

/** The memory that requests and answers of all connections share. */
export interface MemoryAccount {
  /** Takes memory for what arrives or leaves; false if that is too much. */
  tryHold(bytes: number): boolean;
  /**
   * Takes memory for what is there already; false if that is too much, but it is taken. What arrives
   * never makes it too much: then something that waits to be sent has to go.
   */
  hold(bytes: number): boolean;
  give(bytes: number): void;
}

export interface CallOptions {
  /** Milliseconds until the call fails with DEADLINE_EXCEEDED. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

export interface Channel {
  /** One request, one answer. Fails with `RpcError`. */
  unary(path: string, request: Uint8Array, options: CallOptions): Promise<Uint8Array>;
  /** Opens a bidirectional stream; it ends with `events.onClose`, also when it cannot be made. */
  stream(path: string, events: StreamEvents): MessageStream;
  close(): Promise<void>;
}

/**
 * What a stream tells its owner. Callbacks are never called inside a call of the stream, and an
 * error that one throws is reported and ends the stream.
 */
export interface StreamEvents {
  /** A message of the peer; it belongs to the owner, who may keep it and write into it. */
  onMessage(message: Uint8Array): void;
  /** `send` may be called again after it answered false. */
  onDrain(): void;
  /** The peer has sent its last message. */
  onEnd(): void;
  /** Called once and last; the status is OK after both sides have ended. */
  onClose(status: RpcStatus): void;
}

/** One side of a bidirectional stream of encoded messages. */
export interface MessageStream {
  /**
   * Sends a message and takes it over: the caller does not touch the bytes again. While the stream
   * is open nothing is dropped. False asks to wait for `onDrain`: the peer does not keep up, and what
   * is sent meanwhile waits in memory. After `end`, `fail` or the close it does nothing.
   */
  send(message: Uint8Array): boolean;
  /**
   * The same for a message that lies in pieces, which must not change until `sent`: called when they
   * are not needed any more, never inside this call, and perhaps not at all if the stream ends before.
   */
  sendPieces(pieces: readonly Uint8Array[], sent: () => void): boolean;
  /** Stops reading: the peer's sending is held up by flow control. A few more may still arrive. */
  pause(): void;
  resume(): void;
  /**
   * Our last message has been sent. On a server this ends the stream with OK, unless the client takes
   * more than a minute to read what stands before the end.
   */
  end(): void;
  /**
   * Ends the stream with an error; on a client it cancels the call. No message is delivered here any
   * more, and what is still under way to the peer may be lost. `onClose` comes with this status; after
   * `end` on a server it does not, and the peer only gets less time to read what stands before the end.
   */
  fail(status: RpcStatus): void;
}

/** The outcome of a call: a gRPC status and, for outcomes of ours, the row of the error table. */
export interface RpcStatus {
  readonly code: RpcCode;
  readonly message: string;
  /** Code of the row in `model/errors.ts`, carried in the trailer `varve-error-code`. */
  readonly errorCode?: number;
  /** True if it is certain that the peer has not seen the call, so that nothing came of it. Never sent. */
  readonly neverSent?: boolean;
  /** What the transport itself was told, where `message` says it in plainer words. Never sent. */
  readonly cause?: Error;
}

export class RpcError extends Error {
  override readonly name = 'RpcError';
  readonly status: RpcStatus;

  constructor(status: RpcStatus) {
    super(status.message, status.cause === undefined ? undefined : { cause: status.cause });
    this.status = status;
  }
}

/** gRPC's status codes. */
export const RpcCode = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;
export type RpcCode = (typeof RpcCode)[keyof typeof RpcCode];

/** Who calls. */
export interface CallContext {
  /** `host:port` of the peer, or `in-process`. */
  readonly peer: string;
  /** Fires when the caller has gone away or its deadline has passed. */
  readonly signal: AbortSignal;
}

/**
 * What a server serves, by the full path of a method (`/varve.v1.AdminService/CreateTopics`). A
 * handler answers with an error by throwing an outcome (`error-message.ts`); anything else that it
 * throws is reported, and the caller is told only that something unexpected happened.
 */
export interface ServerHandlers {
  readonly unary: ReadonlyMap<
    string,
    (request: Uint8Array, context: CallContext) => Promise<Uint8Array>
  >;
  readonly streams: ReadonlyMap<
    string,
    (stream: MessageStream, context: CallContext) => StreamEvents
  >;
}

export interface Listener {
  /** `host:port` with the port that was picked. */
  readonly address: string;
  /** What the standard health service answers. */
  setServing(serving: boolean): void;
  /** Refuses new calls, gives open ones `graceMs` to end, then cuts them. */
  close(graceMs: number): Promise<void>;
}
