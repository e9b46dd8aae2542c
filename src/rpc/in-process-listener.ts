import type { Timers } from '../env/ports.ts';
import { Errors } from '../model/errors.ts';
import { rpcStatusOfRow } from './error-message.ts';
import type { Listener, ListenOptions, RpcStatus, ServerHandlers } from './transport.ts';

/** A call or stream that is open, as those see it who may have to end it. */
export interface OpenCall {
  fail(status: RpcStatus): void;
}

/** What is served at one address of an `InProcessTransport`. */
export class InProcessListener implements Listener {
  readonly address: string;
  readonly service: ServerHandlers;
  readonly maxMessageBytes: number;
  readonly #timers: Timers;
  readonly #forget: () => void;
  readonly #open = new Set<OpenCall>();
  readonly #allClosed = Promise.withResolvers<void>();
  #closing = false;

  constructor(
    settings: { address: string; service: ServerHandlers; options: ListenOptions },
    timers: Timers,
    forget: () => void,
  ) {
    this.address = settings.address;
    this.service = settings.service;
    this.maxMessageBytes = settings.options.maxMessageBytes;
    this.#timers = timers;
    this.#forget = forget;
  }

  opened(call: OpenCall): void {
    this.#open.add(call);
  }

  ended(call: OpenCall): void {
    this.#open.delete(call);
    if (this.#closing && this.#open.size === 0) this.#allClosed.resolve();
  }

  setServing(_serving: boolean): void {
    // Nobody can ask for health here.
  }

  async close(graceMs: number): Promise<void> {
    if (!this.#closing) {
      this.#closing = true;
      this.#forget();
      if (this.#open.size === 0) this.#allClosed.resolve();
    }
    const cut = this.#timers.after(graceMs, () => {
      for (const call of [...this.#open]) call.fail(rpcStatusOfRow(Errors.BROKER_STOPPING));
    });
    await this.#allClosed.promise;
    cut.cancel();
  }
}
