import type { Clock, Timers } from '../env/ports.ts';
import { GrpcChannel } from './grpc-channel.ts';
import { openGrpcListener } from './grpc-listener.ts';
import type {
  Channel,
  ConnectOptions,
  Listener,
  ListenOptions,
  ServerHandlers,
  Transport,
} from './transport.ts';

export interface GrpcTransportSettings {
  /**
   * Told what handlers and owners of streams throw beside outcomes: bugs, broken disks, failed
   * assertions. The peer has been told only that something unexpected happened.
   */
  readonly onUnexpectedError: (error: unknown) => void;
}

/** The `Transport` over HTTP/2 sockets, by grpc-js. */
export class GrpcTransport implements Transport {
  readonly #settings: GrpcTransportSettings;
  readonly #clock: Clock;
  readonly #timers: Timers;

  constructor(settings: GrpcTransportSettings, env: { clock: Clock; timers: Timers }) {
    this.#settings = settings;
    this.#clock = env.clock;
    this.#timers = env.timers;
  }

  connect(address: string, options: ConnectOptions): Channel {
    return new GrpcChannel(address, options, {
      clock: this.#clock,
      reportUnexpected: this.#settings.onUnexpectedError,
    });
  }

  listen(address: string, service: ServerHandlers, options: ListenOptions): Promise<Listener> {
    return openGrpcListener(address, service, options, {
      timers: this.#timers,
      reportUnexpected: this.#settings.onUnexpectedError,
    });
  }
}
