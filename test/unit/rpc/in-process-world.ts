import type { Timer, Timers } from '../../../src/env/ports.ts';
import { InProcessTransport } from '../../../src/rpc/in-process-transport.ts';
import { handlers, listenOptions, type ServerSide } from './transport-world.ts';

/** Turns that happen when the test says so. */
export class ManualTimers implements Timers {
  readonly #turns: (() => void)[] = [];

  after(): Timer {
    return { cancel() {}, unref() {} };
  }

  nextTurn(fn: () => void): void {
    this.#turns.push(fn);
  }

  /** Runs the turns that are due now; false if there were none. */
  turn(): boolean {
    const due = this.#turns.splice(0);
    for (const fn of due) fn();
    return due.length > 0;
  }
}

export async function openInProcess(): Promise<{
  timers: ManualTimers;
  transport: InProcessTransport;
  address: string;
  streams: ServerSide[];
}> {
  const timers = new ManualTimers();
  const streams: ServerSide[] = [];
  const onUnexpectedError = (error: unknown): void => {
    throw error;
  };
  const transport = new InProcessTransport({ onUnexpectedError }, timers);
  const service = handlers({ streams, contexts: [] });
  const { address } = await transport.listen('broker-1:0', service, listenOptions);
  return { timers, transport, address, streams };
}
