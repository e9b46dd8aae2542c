import type { Timer, Timers } from '../../src/env/ports.ts';
import { Errors } from '../../src/model/errors.ts';
import { rpcStatusOfRow } from '../../src/rpc/error-message.ts';
import { InProcessTransport } from '../../src/rpc/in-process-transport.ts';
import {
  type Channel,
  type ConnectOptions,
  type Listener,
  type ListenOptions,
  type MessageStream,
  RpcError,
  type ServerHandlers,
  type StreamEvents,
  type Transport,
} from '../../src/rpc/transport.ts';
import type { Incarnation } from './env/incarnation.ts';
import type { Scheduler } from './env/scheduler.ts';
import type { SimulatedRandom } from './env/simulated-random.ts';

/** How long a message is under way, in microseconds. */
const LATENCY_US = [20, 400] as const;

const CONNECTION_LOST = rpcStatusOfRow(Errors.NETWORK_EXCEPTION, 'the connection was lost');

/** Told of every message that a process sends as a server, with the method's path. */
export type Tap = (path: string, message: Uint8Array) => void;

/**
 * The wires between the processes of a simulation: the in-process transport on virtual time. What a
 * process serves ends with its life, and what it had sent and was not yet delivered is lost.
 */
export class SimulatedNetwork {
  readonly #transport: InProcessTransport;

  constructor(
    scheduler: Scheduler,
    random: SimulatedRandom,
    onUnexpectedError: (error: unknown) => void,
  ) {
    this.#transport = new InProcessTransport(
      { onUnexpectedError },
      new NetworkTimers(scheduler, random.fork('network')),
    );
  }

  /** The network as one process has it. */
  endOf(incarnation: Incarnation, tap: Tap = () => {}): NetworkEnd {
    return new NetworkEnd(this.#transport, incarnation, tap);
  }
}

/** Messages arrive in the order in which they were sent, each a while later. */
class NetworkTimers implements Timers {
  readonly #scheduler: Scheduler;
  readonly #random: SimulatedRandom;
  readonly #turns: (() => void)[] = [];

  constructor(scheduler: Scheduler, random: SimulatedRandom) {
    this.#scheduler = scheduler;
    this.#random = random;
  }

  after(ms: number, fn: () => void): Timer {
    return this.#scheduler.after(Math.max(0, ms), fn);
  }

  nextTurn(fn: () => void): void {
    this.#turns.push(fn);
    this.#scheduler.after(this.#random.between(...LATENCY_US) / 1000, () =>
      this.#turns.shift()?.(),
    );
  }
}

/** The transport of one process. */
export class NetworkEnd implements Transport {
  readonly #transport: Transport;
  readonly #incarnation: Incarnation;
  readonly #tap: Tap;
  /** Break off what is open here. */
  readonly #cuts = new Set<() => void>();
  readonly #listeners: Listener[] = [];

  constructor(transport: Transport, incarnation: Incarnation, tap: Tap) {
    this.#transport = transport;
    this.#incarnation = incarnation;
    this.#tap = tap;
  }

  connect(address: string, options: ConnectOptions): Channel {
    return this.#transport.connect(address, options);
  }

  async listen(
    address: string,
    service: ServerHandlers,
    options: ListenOptions,
  ): Promise<Listener> {
    const listener = await this.#transport.listen(address, this.#mortal(service), options);
    this.#listeners.push(listener);
    return listener;
  }

  /** The process has died: nothing listens any more, and everybody's connection is gone. */
  cut(): void {
    for (const listener of this.#listeners) void listener.close(0);
    this.breakConnections();
  }

  /** All connections break, and the process goes on: who had asked does not hear of it. */
  breakConnections(): void {
    for (const cut of [...this.#cuts]) cut();
  }

  /** The service as long as the process lives. */
  #mortal(service: ServerHandlers): ServerHandlers {
    return {
      unary: mapped(service.unary, (path, handler) => (request, context) => {
        return this.#call(path, () => handler(request, context));
      }),
      streams: mapped(service.streams, (path, handler) => (stream, context) => {
        return this.#stream(path, stream, (own) => handler(own, context));
      }),
    };
  }

  #call(path: string, handle: () => Promise<Uint8Array>): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const cut = (): void => reject(new RpcError(CONNECTION_LOST));
      if (!this.#incarnation.isAlive) return cut();
      this.#cuts.add(cut);
      handle()
        .then((answer) => {
          if (!this.#incarnation.isAlive) return;
          this.#tap(path, answer);
          resolve(answer);
        }, reject)
        .finally(() => this.#cuts.delete(cut));
    });
  }

  #stream(
    path: string,
    stream: MessageStream,
    open: (stream: MessageStream) => StreamEvents,
  ): StreamEvents {
    const incarnation = this.#incarnation;
    const cut = (): void => stream.fail(CONNECTION_LOST);
    if (!incarnation.isAlive) {
      cut();
      return { onMessage() {}, onDrain() {}, onEnd() {}, onClose() {} };
    }
    this.#cuts.add(cut);
    const events = open({
      send: (message) => {
        if (!incarnation.isAlive) return false;
        this.#tap(path, message);
        return stream.send(message);
      },
      sendPieces: (pieces, sent) => {
        if (!incarnation.isAlive) return false;
        this.#tap(path, Buffer.concat(pieces));
        return stream.sendPieces(pieces, () => incarnation.deliver(sent));
      },
      pause: () => stream.pause(),
      resume: () => stream.resume(),
      end: () => incarnation.deliver(() => stream.end()),
      fail: (status) => incarnation.deliver(() => stream.fail(status)),
    });
    return {
      onMessage: (message) => incarnation.deliver(() => events.onMessage(message)),
      onDrain: () => incarnation.deliver(() => events.onDrain()),
      onEnd: () => incarnation.deliver(() => events.onEnd()),
      onClose: (status) => {
        this.#cuts.delete(cut);
        incarnation.deliver(() => events.onClose(status));
      },
    };
  }
}

const mapped = <T>(
  handlers: ReadonlyMap<string, T>,
  change: (path: string, handler: T) => T,
): ReadonlyMap<string, T> =>
  new Map([...handlers].map(([path, handler]) => [path, change(path, handler)]));
