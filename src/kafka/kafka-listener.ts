import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { type Address, formatAddress, parseAddress } from '../rpc/address.ts';
import { ConnectionLimits } from '../rpc/connection-limits.ts';
import { type TlsError, tlsRefusal } from '../rpc/tls-refusal.ts';
import type { Wire } from './connection.ts';
import type { KafkaDoor } from './kafka-door.ts';
import type { ListenerFacts } from './request-context.ts';

/** Certificates of a listener in PEM. With `ca` every client must present one of its own. */
export interface ListenerTls {
  readonly cert: Uint8Array;
  readonly key: Uint8Array;
  readonly ca?: Uint8Array;
}

export interface KafkaListenOptions {
  readonly tls?: ListenerTls;
  /** Connections are accepted at once and served from then on; at once if left out. */
  readonly begun?: Promise<void>;
  /** A limit, by the name of its setting, or a TLS handshake that failed has turned a connection away. */
  onRefused(reason: string, peer: string, detail?: string): void;
}

/** OpenSSL's errors have a sentence of their own. */
/** How long a TLS client has for its handshake. */
const HANDSHAKE_MS = 10_000;

/** A listener of the Kafka door: sockets, and nothing that is decided. */
export class KafkaListener {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #address: Address = { host: '', port: 0 };

  private constructor(
    door: KafkaDoor,
    facts: ListenerFacts,
    { tls, begun, onRefused }: KafkaListenOptions,
  ) {
    const limits = new ConnectionLimits(facts.config);
    const serve = (socket: Socket): void => {
      if (begun === undefined) this.#serve(socket, door, facts);
      else void begun.then(() => this.#serve(socket, door, facts));
    };
    const options = { noDelay: true, keepAlive: true, allowHalfOpen: false };
    this.#server =
      tls === undefined
        ? createServer(options, serve)
        : createTlsServer(
            {
              ...options,
              cert: Buffer.from(tls.cert),
              key: Buffer.from(tls.key),
              handshakeTimeout: HANDSHAKE_MS,
              ...(tls.ca === undefined
                ? {}
                : { ca: Buffer.from(tls.ca), requestCert: true, rejectUnauthorized: true }),
            },
            serve,
          );
    // Also a TLS server has this event, before its handshake.
    this.#server.prependListener('connection', (socket: Socket) => {
      const address = socket.remoteAddress ?? '';
      const exceeded = limits.enter(address);
      if (exceeded !== null) {
        socket.destroy();
        const limit = 'kafka.max.connections';
        onRefused(exceeded === 'total' ? limit : `${limit}.per.ip`, address);
        return;
      }
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.once('close', () => {
        limits.left(address);
        this.#sockets.delete(socket);
      });
    });
    this.#server.on('tlsClientError', (error: TlsError, socket: TLSSocket) => {
      const reason = tlsRefusal(error, socket);
      if (reason) onRefused('TLS handshake', socket.remoteAddress ?? 'unknown', reason);
      socket.destroy();
    });
  }

  /** Rejects if the address cannot be listened on. */
  static async listen(
    address: string,
    door: KafkaDoor,
    facts: ListenerFacts,
    options: KafkaListenOptions,
  ): Promise<KafkaListener> {
    const listener = new KafkaListener(door, facts, options);
    const { host, port } = parseAddress(address);
    const listening = Promise.withResolvers<void>();
    const server = listener.#server;
    server.once('error', listening.reject);
    server.listen({ host, port }, listening.resolve);
    await listening.promise;
    server.removeListener('error', listening.reject);
    const { address: ip, port: bound } = server.address() as AddressInfo;
    listener.#address = { host: ip, port: bound };
    // What fails later, such as accepting while handles are short, concerns one connection.
    server.on('error', () => {});
    return listener;
  }

  /** Where it listens; requests are answered with it also while it closes. */
  get address(): Address {
    return this.#address;
  }

  get text(): string {
    return formatAddress(this.address);
  }

  /** No new connections; resolves when those that are there have ended. */
  close(): Promise<void> {
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  /** Ends all connections at once. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #serve(socket: Socket, door: KafkaDoor, facts: ListenerFacts): void {
    if (socket.destroyed) return;
    socket.on('error', () => {});
    const connection = door.connected(new SocketWire(socket), socket.remoteAddress ?? '', facts);
    socket.on('data', (bytes) => connection.data(bytes));
    socket.on('drain', () => connection.drained());
    socket.on('end', () => connection.closed());
    socket.on('close', () => connection.closed());
  }
}

class SocketWire implements Wire {
  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  write(pieces: readonly Uint8Array[], sent: () => void): boolean {
    const socket = this.#socket;
    if (pieces.length === 1) return socket.write(pieces[0]!, sent);
    socket.cork();
    let takesMore = true;
    for (const [at, piece] of pieces.entries()) {
      takesMore = socket.write(piece, at === pieces.length - 1 ? sent : undefined);
    }
    socket.uncork();
    return takesMore;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  close(isGraceful: boolean): void {
    if (isGraceful) this.#socket.end(() => this.#socket.destroy());
    else this.#socket.destroy();
  }
}
