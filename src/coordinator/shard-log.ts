/**
 * The log of an event-sourced shard: the quorum for the controller, a partition for the other
 * coordinators. Positions rise; an entry is all that one `append` was given, and it is committed
 * whole or not at all. Whoever owns log and runtime tells the runtime what is committed
 * (`CoordinatorRuntime.committedTo`), and when that will not be known any more (`retire`).
 */
export interface ShardLog {
  /** Position that the next entry will have. */
  readonly nextPosition: number;
  /**
   * Appends one entry, synchronously; it is not safe before it is committed. Returns the position
   * after it. Throws, and appends nothing, if this node does not lead or the entry is too large.
   */
  append(records: readonly Uint8Array[]): number;
}
