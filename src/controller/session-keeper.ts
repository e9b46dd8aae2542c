import type { Clock, Timer, Timers } from '../env/ports.ts';
import type { MetadataImage } from '../metadata/image.ts';
import type { NodeId } from '../model/ids.ts';
import { BrokerSessions } from './broker-sessions.ts';

export interface SessionKeeperParts {
  readonly clock: Clock;
  readonly timers: Timers;
  /** The committed metadata. */
  image(): MetadataImage;
  /** Rejects when this node is not the active controller any more. */
  fence(ids: readonly NodeId[]): Promise<unknown>;
}

/** Has the brokers fenced that the active controller hears of no more. */
export class SessionKeeper {
  readonly #timeoutMs: number;
  readonly #parts: SessionKeeperParts;
  readonly #sessions: BrokerSessions;
  #isActive = false;
  #timer: Timer | null = null;
  /** When the timer is due. */
  #dueMs = 0;

  constructor(timeoutMs: number, parts: SessionKeeperParts) {
    this.#timeoutMs = timeoutMs;
    this.#parts = parts;
    this.#sessions = new BrokerSessions(timeoutMs);
  }

  /** This node is the active controller, or is it no longer. */
  activeIs(isActive: boolean): void {
    this.#isActive = isActive;
    if (isActive) this.#sessions.begin(this.#parts.image(), this.#parts.clock.monotonicMs());
    this.#arm();
  }

  isAlive(nodeId: NodeId): boolean {
    return this.#sessions.isAlive(nodeId, this.#parts.clock.monotonicMs());
  }

  /** The broker has registered, or sent a heartbeat that was not refused. */
  heard(nodeId: NodeId): void {
    this.#sessions.heard(nodeId, this.#parts.clock.monotonicMs());
    if (this.#timer === null) this.#arm();
  }

  #arm(): void {
    this.#timer?.cancel();
    this.#timer = null;
    const { nextExpiryMs } = this.#sessions;
    if (!this.#isActive || nextExpiryMs === null) return;
    this.#dueMs = nextExpiryMs;
    const waitMs = Math.max(0, nextExpiryMs - this.#parts.clock.monotonicMs());
    this.#timer = this.#parts.timers.after(waitMs, () => this.#look());
  }

  #look(): void {
    this.#timer = null;
    const nowMs = this.#parts.clock.monotonicMs();
    // Who stood still itself has not read the heartbeats that came meanwhile.
    const stoodStill = nowMs - this.#dueMs > this.#timeoutMs / 2;
    if (stoodStill) this.#sessions.begin(this.#parts.image(), nowMs);
    const ids = this.#sessions.expired(nowMs);
    for (const id of ids) this.#sessions.end(id);
    if (ids.length > 0) this.#parts.fence(ids).catch(() => this.#notFenced(ids));
    this.#arm();
  }

  /** Too much was asked for at a time; or another node is active, which gives them a session of its own. */
  #notFenced(ids: readonly NodeId[]): void {
    if (this.#isActive) for (const id of ids) this.heard(id);
  }
}
