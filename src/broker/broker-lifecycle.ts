import type { BrokerHeartbeat, HeartbeatAnswer } from '../controller/heartbeat.ts';
import type { Timer, Timers } from '../env/ports.ts';
import { ApiError, Errors } from '../model/errors.ts';
import type { BrokerEpoch, NodeId } from '../model/ids.ts';
import type { Logger } from '../telemetry/logger.ts';

/** While it is not in service it asks more often: clients wait. */
const IMPATIENT_MS = 100;

export interface LifecycleParts {
  readonly timers: Timers;
  readonly logger: Logger;
  heartbeat(beat: BrokerHeartbeat): Promise<HeartbeatAnswer>;
  /** How far the metadata are carried out here. */
  position(): number;
  /** Another process has taken this broker's place: it must serve nothing any more. Called once. */
  onReplaced(error: Error): void;
}

/**
 * The life of a broker as the controller sees it (KIP-631): registered and fenced, in service while its
 * heartbeats come, out of service before it stops. Runs from the registration on.
 */
export class BrokerLifecycle {
  readonly #identity: { readonly nodeId: NodeId; readonly brokerEpoch: BrokerEpoch };
  readonly #intervalMs: number;
  readonly #parts: LifecycleParts;
  readonly #inService = Promise.withResolvers<void>();
  readonly #left = Promise.withResolvers<void>();
  #timer: Timer | null = null;
  #isBeating = false;
  #isOver = false;
  #wantsShutdown = false;

  constructor(
    identity: { readonly nodeId: NodeId; readonly brokerEpoch: BrokerEpoch },
    intervalMs: number,
    parts: LifecycleParts,
  ) {
    this.#identity = identity;
    this.#intervalMs = intervalMs;
    this.#parts = parts;
    // Whoever waits is told; if nobody does, that is no failure.
    this.#inService.promise.catch(() => {});
  }

  /** Sends heartbeats from now on; resolves when the controller has brought the broker into service. */
  start(): Promise<void> {
    void this.#beat();
    return this.#inService.promise;
  }

  /** Asks to be taken out of service; resolves when that is done, or after `patienceMs`. */
  async leave(patienceMs: number): Promise<void> {
    if (this.#isOver) return;
    this.#wantsShutdown = true;
    this.#soon();
    const timer = this.#parts.timers.after(patienceMs, () => this.#left.resolve());
    await this.#left.promise;
    timer.cancel();
    this.stop();
  }

  /** Sends nothing any more. */
  stop(): void {
    this.#isOver = true;
    this.#timer?.cancel();
    this.#left.resolve();
    this.#inService.reject(new ApiError(Errors.BROKER_STOPPING, 'the broker has stopped'));
  }

  #soon(): void {
    if (this.#isOver || this.#isBeating) return;
    this.#timer?.cancel();
    void this.#beat();
  }

  async #beat(): Promise<void> {
    this.#isBeating = true;
    const asked = this.#wantsShutdown;
    let isSettled = false;
    try {
      isSettled = this.#took(await this.#parts.heartbeat(this.#next()), asked);
    } catch (error) {
      this.#failed(error);
    }
    // Meanwhile it may have been stopped, or be about to stop.
    this.#isBeating = false;
    if (this.#isOver) return;
    const waitMs = isSettled && this.#wantsShutdown === asked ? this.#intervalMs : IMPATIENT_MS;
    this.#timer = this.#parts.timers.after(waitMs, () => void this.#beat());
  }

  #next(): BrokerHeartbeat {
    return {
      ...this.#identity,
      currentPosition: this.#parts.position(),
      wantsFence: false,
      wantsShutdown: this.#wantsShutdown,
    };
  }

  /** True if there is no hurry to ask again. */
  #took({ isFenced, shouldShutdown }: HeartbeatAnswer, asked: boolean): boolean {
    if (asked) {
      if (shouldShutdown) this.#left.resolve();
      return shouldShutdown;
    }
    if (!isFenced) this.#inService.resolve();
    return !isFenced;
  }

  #failed(error: unknown): void {
    const { logger, onReplaced } = this.#parts;
    if (error instanceof ApiError && error.row === Errors.STALE_BROKER_EPOCH) {
      this.stop();
      onReplaced(error);
      return;
    }
    logger.warn({ err: error }, 'a heartbeat of the broker was not answered');
  }
}
