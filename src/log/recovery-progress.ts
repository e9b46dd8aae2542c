import type { Clock } from '../env/ports.ts';
import type { LogReporter } from './log-reporter.ts';

/** How far the start of a data directory is. */
export interface RecoveryState {
  readonly partitions: number;
  readonly partitionsDone: number;
  /** Bytes of segments that had to be checked so far. */
  readonly scannedBytes: number;
}

/** At most one line in so long. */
const LINE_INTERVAL_MS = 1000;

/** Tells how far the recovery of all logs is: to its owner at every step, to people once a second. */
export class RecoveryProgress {
  readonly #clock: Clock;
  readonly #reporter: LogReporter;
  readonly #onState: (state: RecoveryState) => void;
  #state: RecoveryState;
  #toldMs: number;

  constructor(
    partitions: number,
    clock: Clock,
    reporter: LogReporter,
    onState: (state: RecoveryState) => void,
  ) {
    this.#clock = clock;
    this.#reporter = reporter;
    this.#onState = onState;
    this.#state = { partitions, partitionsDone: 0, scannedBytes: 0 };
    this.#toldMs = clock.monotonicMs();
    onState(this.#state);
  }

  get state(): RecoveryState {
    return this.#state;
  }

  scanned(bytes: number): void {
    this.#advance({ ...this.#state, scannedBytes: this.#state.scannedBytes + bytes });
  }

  partitionDone(): void {
    this.#advance({ ...this.#state, partitionsDone: this.#state.partitionsDone + 1 });
  }

  #advance(state: RecoveryState): void {
    this.#state = state;
    this.#onState(state);
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#toldMs < LINE_INTERVAL_MS) return;
    this.#toldMs = nowMs;
    this.#reporter.info({ ...state }, 'opening the logs');
  }
}
