import type { ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import type { Timers } from '../env/ports.ts';
import type { SocketServer } from './grpc-internals.ts';
import type { ListenOptions } from './transport.ts';

type Limits = Pick<
  ListenOptions,
  'maxConnections' | 'maxConnectionsPerAddress' | 'handshakeTimeoutMs' | 'onRefused'
>;

/**
 * Turns away connections that are too many, and those that do not say in time that they speak HTTP/2.
 * Nobody has said who they are at that point, so nothing is answered.
 */
export class ConnectionGuard {
  readonly #limits: Limits;
  readonly #timers: Timers;
  readonly #openByAddress = new Map<string, number>();
  #open = 0;

  constructor(limits: Limits, timers: Timers) {
    this.#limits = limits;
    this.#timers = timers;
  }

  watch(server: SocketServer): void {
    // Before anything is set up for the connection.
    server.prependListener('connection', (socket: Socket) => this.#connected(socket));
    server.on('session', (session) => this.#awaitHandshake(session));
  }

  #connected(socket: Socket): void {
    const address = socket.remoteAddress ?? '';
    const ofAddress = this.#openByAddress.get(address) ?? 0;
    const { maxConnections, maxConnectionsPerAddress, onRefused } = this.#limits;
    if (this.#open >= maxConnections || ofAddress >= maxConnectionsPerAddress) {
      const isTotal = this.#open >= maxConnections;
      socket.destroy();
      onRefused(isTotal ? 'max.connections' : 'max.connections.per.ip', address);
      return;
    }
    this.#open++;
    this.#openByAddress.set(address, ofAddress + 1);
    socket.once('close', () => this.#closed(address));
  }

  #closed(address: string): void {
    this.#open--;
    const left = this.#openByAddress.get(address)! - 1;
    if (left === 0) this.#openByAddress.delete(address);
    else this.#openByAddress.set(address, left);
  }

  /** A session is there as soon as there is a connection; the first settings of its peer make it one. */
  #awaitHandshake(session: ServerHttp2Session): void {
    const { handshakeTimeoutMs, onRefused } = this.#limits;
    const address = session.socket?.remoteAddress ?? '';
    const timer = this.#timers.after(handshakeTimeoutMs, () => {
      session.destroy();
      onRefused('grpc.handshake.timeout.ms', address);
    });
    session.once('remoteSettings', () => timer.cancel());
    session.once('close', () => timer.cancel());
  }
}
