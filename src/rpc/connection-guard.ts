import type { ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Timers } from '../env/ports.ts';
import { ConnectionLimits } from './connection-limits.ts';
import type { SocketServer } from './grpc-internals.ts';
import { type TlsError, tlsRefusal } from './tls-refusal.ts';
import type { ListenOptions } from './transport.ts';

type Limits = Pick<
  ListenOptions,
  'maxConnections' | 'maxConnectionsPerAddress' | 'handshakeTimeoutMs' | 'onRefused'
>;

/**
 * Turns away connections that are too many, and those that do not say in time that they speak HTTP/2, and
 * tells of those whose TLS or HTTP/2 was none.
 * Nobody has said who they are at that point, so nothing is answered.
 */
export class ConnectionGuard {
  readonly #limits: Limits;
  readonly #timers: Timers;
  readonly #counts: ConnectionLimits;

  constructor(limits: Limits, timers: Timers) {
    this.#limits = limits;
    this.#counts = new ConnectionLimits(limits);
    this.#timers = timers;
  }

  watch(server: SocketServer): void {
    // Before anything is set up for the connection.
    server.prependListener('connection', (socket: Socket) => this.#connected(socket));
    // Before Node forgets who it was.
    server.prependListener('tlsClientError', (error: TlsError, socket: TLSSocket) => {
      const reason = tlsRefusal(error, socket);
      if (reason) this.#limits.onRefused('TLS handshake', socket.remoteAddress ?? '', reason);
    });
    server.prependListener('secureConnection', (socket: TLSSocket) => {
      if (socket.alpnProtocol === 'h2') return;
      const reason = 'the TLS client did not ask for it';
      this.#limits.onRefused('HTTP/2', socket.remoteAddress ?? '', reason);
    });
    server.on('session', (session) => this.#awaitHandshake(session));
  }

  #connected(socket: Socket): void {
    const address = socket.remoteAddress ?? '';
    const exceeded = this.#counts.enter(address);
    if (exceeded !== null) {
      socket.destroy();
      this.#limits.onRefused(
        exceeded === 'total' ? 'max.connections' : 'max.connections.per.ip',
        address,
      );
      return;
    }
    socket.once('close', () => this.#counts.left(address));
  }

  /** A session is there as soon as there is a connection; the first settings of its peer make it one. */
  #awaitHandshake(session: ServerHttp2Session): void {
    const { handshakeTimeoutMs, onRefused } = this.#limits;
    const address = session.socket?.remoteAddress ?? '';
    const timer = this.#timers.after(handshakeTimeoutMs, () => {
      session.destroy();
      onRefused('grpc.handshake.timeout.ms', address);
    });
    // What is not HTTP/2. Who only hung up was not refused.
    session.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ERR_HTTP2_ERROR') onRefused('HTTP/2', address, error.message);
    });
    session.once('remoteSettings', () => timer.cancel());
    session.once('close', () => timer.cancel());
  }
}
