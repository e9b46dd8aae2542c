import { CorruptError } from '../codec/reader.ts';

/** The data directory is out of service, or an operation on it could not be done. */
export class StorageError extends Error {
  override readonly name = 'StorageError';
}

/** A log does not hold what it must: bytes that were durable are damaged or missing. */
export class LogCorruptError extends Error {
  override readonly name = 'LogCorruptError';
}

/** An index led to a batch that it does not know; either the index is damaged or the segment. */
export class MisledError extends CorruptError {}

/**
 * Whether the data directory can still be trusted. The first failed write or fsync takes it out of
 * service for good (DESIGN 4b rule 6): after a failed fsync nobody knows what is on the disk, and a
 * second one may claim success for bytes that are lost.
 */
export class DiskHealth {
  readonly #onFailure: (error: Error) => void;
  #failure: StorageError | null = null;

  /** @param onFailure called once, with what failed as the cause of the error */
  constructor(onFailure: (error: Error) => void) {
    this.#onFailure = onFailure;
  }

  /** Why the directory is out of service; `null` while it is not. */
  get failure(): StorageError | null {
    return this.#failure;
  }

  fail(cause: unknown): void {
    if (this.#failure !== null) return;
    const reason = cause instanceof Error ? cause.message : String(cause);
    this.#failure = new StorageError(`the data directory is out of service: ${reason}`, { cause });
    this.#onFailure(this.#failure);
  }

  /** Does work that changes the disk; whatever it throws takes the directory out of service. */
  async guard<T>(work: () => Promise<T>): Promise<T> {
    if (this.#failure !== null) throw this.#failure;
    try {
      return await work();
    } catch (error) {
      this.fail(error);
      throw error;
    }
  }
}
