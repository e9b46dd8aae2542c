import type { Clock } from '../env/ports.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Counter, Family, Metrics } from '../telemetry/metrics.ts';

/** At most one line so often for each limit: who abuses the listener must not fill the disk, too. */
const LINE_INTERVAL_MS = 10_000;

/** Of one limit. */
interface Refused {
  readonly counter: Counter;
  nextLineMs: number;
  sinceLine: number;
}

/** Tells of connections and calls that a limit has ended: each in a metric, some in the log. */
export class PeerRefusals {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #refused: Family<Counter>;
  readonly #byLimit = new Map<string, Refused>();

  constructor(clock: Clock, logger: Logger, metrics: Metrics) {
    this.#clock = clock;
    this.#logger = logger;
    this.#refused = metrics.counter(
      'varve_peers_refused_total',
      'Connections and calls that were ended by a limit, which is the name of a setting, or for another reason.',
      ['limit'],
    );
  }

  /** @param detail what is not the same each time; it is for the log only, as every `limit` is kept */
  note(limit: string, peer: string, detail?: string): void {
    const refused = this.#of(limit);
    refused.counter.add(1);
    refused.sinceLine++;
    const nowMs = this.#clock.monotonicMs();
    if (nowMs < refused.nextLineMs) return;
    this.#logger.warn(
      { limit, peer, refused: refused.sinceLine, ...(detail === undefined ? {} : { detail }) },
      'connections or calls were ended',
    );
    refused.sinceLine = 0;
    refused.nextLineMs = nowMs + LINE_INTERVAL_MS;
  }

  #of(limit: string): Refused {
    let refused = this.#byLimit.get(limit);
    if (refused === undefined) {
      refused = { counter: this.#refused.labels(limit), nextLineMs: 0, sinceLine: 0 };
      this.#byLimit.set(limit, refused);
    }
    return refused;
  }
}
