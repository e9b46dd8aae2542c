/** A stream that is granted bytes. */
export interface PrefetchMember {
  /** Sees whether there is more to grant to it now. */
  grant(): void;
}

/** Bytes that the streams of a consumer may fetch ahead of its reader, together. */
export class PrefetchBudget {
  readonly #totalBytes: number;
  readonly #members = new Set<PrefetchMember>();
  #usedBytes = 0;

  constructor(totalBytes: number) {
    this.#totalBytes = totalBytes;
  }

  /** May be below zero: brokers send whole batches. */
  get freeBytes(): number {
    return this.#totalBytes - this.#usedBytes;
  }

  /** What one stream should get: all get the same. */
  get shareBytes(): number {
    return Math.ceil(this.#totalBytes / Math.max(1, this.#members.size));
  }

  join(member: PrefetchMember): void {
    this.#members.add(member);
  }

  leave(member: PrefetchMember): void {
    this.#members.delete(member);
  }

  take(bytes: number): void {
    this.#usedBytes += bytes;
  }

  /** Bytes are free again, for any stream that has less than its share. */
  give(bytes: number): void {
    this.#usedBytes -= bytes;
    this.grantAll();
  }

  grantAll(): void {
    for (const member of this.#members) member.grant();
  }
}
