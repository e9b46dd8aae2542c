import type { Timers } from '../../../src/env/ports.ts';
import {
  type Channel,
  type MessageStream,
  RpcCode,
  RpcError,
  type RpcStatus,
  type StreamEvents,
  type Transport,
} from '../../../src/rpc/transport.ts';
import type { Incarnation } from '../env/incarnation.ts';
import type { NetworkEnd, SimulatedNetwork } from '../simulated-network.ts';

const RESET: RpcStatus = { code: RpcCode.UNAVAILABLE, message: 'the connection was reset' };

/**
 * A simulated network whose wires can go dead without a word, in both directions: what is sent is swallowed,
 * connections that were open while it was so stay dead for good, and nobody is told.
 */
export class Wires {
  readonly #network: SimulatedNetwork;
  readonly #dead = new Set<string>();
  /** What is open of a process, and its end of the network. */
  readonly #ends = new Map<Incarnation, { readonly end: NetworkEnd; readonly open: Set<Wire> }>();
  /** Connections that were tried. */
  attempts = 0;
  /** Messages that were swallowed. */
  swallowed = 0;

  constructor(network: SimulatedNetwork) {
    this.#network = network;
  }

  /** From now on nothing passes between two addresses. */
  cut(a: string, b: string): void {
    this.#dead.add(`${a} ${b}`);
    this.#dead.add(`${b} ${a}`);
  }

  mend(): void {
    this.#dead.clear();
  }

  isCut(from: string, to: string): boolean {
    return this.#dead.has(`${from} ${to}`);
  }

  /** The network as a process at an address has it. */
  endOf(address: string, incarnation: Incarnation, timers: Timers): Transport {
    const end = this.#network.endOf(incarnation);
    const open = new Set<Wire>();
    this.#ends.set(incarnation, { end, open });
    return {
      listen: (at, service, options) => end.listen(at, service, options),
      connect: (to, options) => {
        this.attempts++;
        const isDead = (): boolean => this.isCut(address, to);
        return this.#channel(end.connect(to, options), { isDead, incarnation, timers, open });
      },
    };
  }

  /** A process has died: its machine resets what it had open. */
  died(incarnation: Incarnation): void {
    const own = this.#ends.get(incarnation);
    this.#ends.delete(incarnation);
    own?.end.cut();
    for (const wire of own?.open ?? []) wire.reset();
  }

  #channel(
    channel: Channel,
    parts: {
      readonly isDead: () => boolean;
      readonly incarnation: Incarnation;
      readonly timers: Timers;
      readonly open: Set<Wire>;
    },
  ): Channel {
    const { isDead, incarnation, timers, open } = parts;
    return {
      unary: (path, request, options) =>
        new Promise((resolve, reject) => {
          const late = (): void =>
            reject(new RpcError({ code: RpcCode.DEADLINE_EXCEEDED, message: 'no answer' }));
          if (isDead()) {
            timers.after(options.timeoutMs, late);
            return;
          }
          const settle = (fn: () => void): void => {
            if (isDead()) timers.after(options.timeoutMs, late);
            else incarnation.deliver(fn);
          };
          channel.unary(path, request, options).then(
            (answer) => settle(() => resolve(answer)),
            (error: unknown) => settle(() => reject(error)),
          );
        }),
      stream: (path, events) => {
        const wire = new Wire(events, incarnation, () => {
          if (isDead()) this.swallowed++;
          return isDead();
        });
        open.add(wire);
        return wire.attach(
          channel.stream(
            path,
            wire.events(() => open.delete(wire)),
          ),
        );
      },
      close: () => channel.close(),
    };
  }
}

/** A stream of a client. */
class Wire {
  readonly #events: StreamEvents;
  readonly #incarnation: Incarnation;
  readonly #isCut: () => boolean;
  #stream: MessageStream | undefined;
  #isDead = false;
  #isFailed = false;

  constructor(events: StreamEvents, incarnation: Incarnation, isCut: () => boolean) {
    this.#events = events;
    this.#incarnation = incarnation;
    this.#isCut = isCut;
  }

  reset(): void {
    this.#stream?.fail(RESET);
  }

  attach(stream: MessageStream): MessageStream {
    this.#stream = stream;
    return {
      send: (message) => this.#passes() && stream.send(message),
      sendPieces: (pieces, sent) => this.#passes() && stream.sendPieces(pieces, sent),
      pause: () => stream.pause(),
      resume: () => stream.resume(),
      end: () => stream.end(),
      fail: (status) => {
        this.#isFailed = true;
        stream.fail(status);
      },
    };
  }

  events(closed: () => void): StreamEvents {
    const tell = (fn: () => void): void => {
      if (this.#isFailed || this.#passes()) this.#incarnation.deliver(fn);
    };
    return {
      onMessage: (message) => tell(() => this.#events.onMessage(message)),
      onDrain: () => tell(() => this.#events.onDrain()),
      onEnd: () => tell(() => this.#events.onEnd()),
      onClose: (status) => {
        closed();
        tell(() => this.#events.onClose(status));
      },
    };
  }

  /** Once dead, it stays so. */
  #passes(): boolean {
    this.#isDead ||= this.#isCut();
    return !this.#isDead;
  }
}
