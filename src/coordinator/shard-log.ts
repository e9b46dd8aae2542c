/**
 * The log of an event-sourced shard: the quorum for the controller, a partition for the other
 * coordinators. Positions rise; an entry is all that one `append` was given, and it is committed
 * whole or not at all.
 */
export interface ShardLog {
  /** Position that the next entry will have. */
  readonly nextPosition: number;
  /**
   * Appends one entry, synchronously; it is not safe before `committed` says so. Returns the
   * position after it. Throws, and appends nothing, if this node does not lead or the entry is too
   * large.
   */
  append(records: readonly Uint8Array[]): number;
  /**
   * Resolves when every entry below `position` is safe for good. Rejects when that will not be known
   * here: leadership was lost or storing failed. The entries may still turn out to be committed.
   */
  committed(position: number): Promise<void>;
}
