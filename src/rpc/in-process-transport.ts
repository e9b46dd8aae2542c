import type { Timers } from '../env/ports.ts';
import { formatAddress, parseAddress } from './address.ts';
import { InProcessChannel } from './in-process-channel.ts';
import { InProcessListener } from './in-process-listener.ts';
import {
  type Channel,
  type ConnectOptions,
  type Listener,
  type ListenOptions,
  RpcCode,
  RpcError,
  type ServerHandlers,
  type Transport,
} from './transport.ts';

export interface InProcessTransportSettings {
  /** As in `GrpcTransportSettings`. */
  readonly onUnexpectedError: (error: unknown) => void;
}

const FIRST_FREE_PORT = 49_152;

/**
 * The `Transport` without sockets: a little network of its own, for tests and for a broker inside the
 * program that uses it. Only channels of the same instance reach its listeners, by the very address.
 * Everything crosses in a later turn of the event loop and in order, so under simulated timers it is
 * deterministic. Messages are handed over, not copied; TLS, health and reflection do not exist here,
 * and nothing bounds the number of streams.
 */
export class InProcessTransport implements Transport {
  readonly #settings: InProcessTransportSettings;
  readonly #timers: Timers;
  readonly #listeners = new Map<string, InProcessListener>();

  constructor(settings: InProcessTransportSettings, timers: Timers) {
    this.#settings = settings;
    this.#timers = timers;
  }

  connect(address: string, options: ConnectOptions): Channel {
    const name = formatAddress(parseAddress(address));
    return new InProcessChannel(options, this.#timers, {
      reportUnexpected: this.#settings.onUnexpectedError,
      reach: () => {
        const listener = this.#listeners.get(name);
        if (listener !== undefined) return listener;
        throw new RpcError({
          code: RpcCode.UNAVAILABLE,
          message: `nothing listens on ${name} in this process`,
          neverSent: true,
        });
      },
    });
  }

  async listen(
    address: string,
    service: ServerHandlers,
    options: ListenOptions,
  ): Promise<Listener> {
    const { host, port } = parseAddress(address);
    let free = FIRST_FREE_PORT;
    while (this.#listeners.has(formatAddress({ host, port: free }))) free++;
    const name = formatAddress({ host, port: port === 0 ? free : port });
    if (this.#listeners.has(name)) throw new Error(`cannot listen on ${name}: it is in use`);
    const listener = new InProcessListener({ address: name, service, options }, this.#timers, () =>
      this.#listeners.delete(name),
    );
    this.#listeners.set(name, listener);
    return listener;
  }
}
