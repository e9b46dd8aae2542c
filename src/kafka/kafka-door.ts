import type { Clock, Timers } from '../env/ports.ts';
import { servedApis } from './api-table.ts';
import { type ApiTable, Connection, type Wire } from './connection.ts';
import type { ListenerFacts } from './request-context.ts';

const apis: ApiTable = new Map(servedApis.map((api) => [api.key, api]));

export interface KafkaDoorParts {
  readonly clock: Clock;
  readonly timers: Timers;
  /** A limit, by the name of its setting, or one of few other reasons, has ended a connection. */
  onRefused(reason: string, peer: string, detail?: string): void;
}

/** The Kafka door: every connection to it, on whatever listener. */
export class KafkaDoor {
  readonly #parts: KafkaDoorParts;
  readonly #open = new Set<Connection>();
  #isStopping = false;

  constructor(parts: KafkaDoorParts) {
    this.#parts = parts;
  }

  get size(): number {
    return this.#open.size;
  }

  /** Serves a new connection of a listener. */
  connected(wire: Wire, peer: string, facts: ListenerFacts): Connection {
    const { clock, timers, onRefused } = this.#parts;
    const connection: Connection = new Connection(wire, {
      ...facts,
      clock,
      timers,
      apis,
      onRefused: (reason, detail) => onRefused(reason, peer, detail),
      onClosed: () => this.#open.delete(connection),
    });
    this.#open.add(connection);
    if (this.#isStopping) connection.stop();
    return connection;
  }

  /** Reads no more; connections end when what they have sent is answered. */
  stop(): void {
    this.#isStopping = true;
    for (const connection of [...this.#open]) connection.stop();
  }
}
