import type { MetadataImage } from '../metadata/image.ts';
import type { NodeId } from '../model/ids.ts';

/**
 * When the active controller has last heard of each broker; in its memory only. Who is not heard of
 * for the session timeout is to be fenced. Times are of a monotonic clock, in ms.
 *
 * They say nothing that safety hangs on: a broker is fenced by its epoch, and a session only tells when.
 */
export class BrokerSessions {
  readonly #timeoutMs: number;
  /** Those heard of longest ago come first. */
  readonly #heardMs = new Map<NodeId, number>();

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /**
   * A new active controller gives every broker in service a session from now on, as nobody could reach
   * it before. Also for one that stood still itself, and has not read what came meanwhile.
   */
  begin(image: MetadataImage, nowMs: number): void {
    this.#heardMs.clear();
    for (const { nodeId, state } of image.brokers.values()) {
      if (state !== 'fenced') this.#heardMs.set(nodeId, nowMs);
    }
  }

  /** A broker has registered, or sent a heartbeat that was not refused. */
  heard(nodeId: NodeId, nowMs: number): void {
    this.#heardMs.delete(nodeId);
    this.#heardMs.set(nodeId, nowMs);
  }

  /** A broker was fenced, or forgotten. */
  end(nodeId: NodeId): void {
    this.#heardMs.delete(nodeId);
  }

  isAlive(nodeId: NodeId, nowMs: number): boolean {
    const heardMs = this.#heardMs.get(nodeId);
    return heardMs !== undefined && nowMs < heardMs + this.#timeoutMs;
  }

  /** The brokers that are to be fenced, those not heard of longest first. They stay until `end`. */
  expired(nowMs: number): NodeId[] {
    const ids: NodeId[] = [];
    for (const [nodeId, heardMs] of this.#heardMs) {
      if (nowMs < heardMs + this.#timeoutMs) break;
      ids.push(nodeId);
    }
    return ids;
  }

  /** When the next session ends; null if there is none. */
  get nextExpiryMs(): number | null {
    for (const heardMs of this.#heardMs.values()) return heardMs + this.#timeoutMs;
    return null;
  }
}
