import { assert } from '../model/assert.ts';
import { ApiError, Errors } from '../model/errors.ts';
import type { ShardLog } from './shard-log.ts';

/** What a shard is made of; all of it pure. */
export interface Shard<State, Rec> {
  /** The state after a record; `position` is that of the entry the record is in. */
  replay(state: State, record: Rec, position: number): State;
  encode(record: Rec): Uint8Array;
}

/** What a write has decided: records, and the answer once they are committed. */
export interface WriteResult<Rec, Response> {
  readonly records: readonly Rec[];
  readonly response: Response;
}

export interface CoordinatorSettings {
  /** Most callers that wait for a commit; more are answered BROKER_OVERLOADED. */
  readonly maxWaiting: number;
}

/** Told of every commit, with the committed states before and after it. Must not throw. */
export type CommitListener<State> = (before: State, after: State) => void;

/** An immutable state, and the position after the entry that led to it. */
export interface Version<State> {
  readonly position: number;
  readonly state: State;
}

interface Waiter {
  readonly position: number;
  resolve(): void;
  reject(error: Error): void;
}

/**
 * Runs one event-sourced shard (DESIGN D10) for as long as this node leads its log. A write reads
 * the latest state and returns records; only replaying records changes the state. They are
 * replayed when they are appended, so that the next write sees them; answers and outside reads
 * wait until what they rest on is committed.
 *
 * After a lost leadership or a failed append the runtime is retired: its uncommitted states are gone
 * and every call is refused. Whether those entries survive is not known here, so a node that leads
 * again begins with a new runtime, from what is committed by then.
 */
export class CoordinatorRuntime<State, Rec> {
  readonly #maxWaiting: number;
  readonly #log: ShardLog;
  readonly #shard: Shard<State, Rec>;
  /** Makes the error for callers whose write may be lost. */
  readonly #retiredError: (cause: unknown) => ApiError;
  #committed: Version<State>;
  /** Uncommitted versions, positions rising; all beyond `#committed`. */
  #versions: Version<State>[] = [];
  /** In order of position; all beyond `#committed`. */
  #waiters: Waiter[] = [];
  readonly #listeners = new Set<CommitListener<State>>();
  #retiredBy: ApiError | null = null;

  /** @param start what is committed: all of the log, when this node begins to lead it */
  constructor(
    settings: CoordinatorSettings,
    log: ShardLog,
    shard: Shard<State, Rec>,
    start: Version<State>,
    retiredError: (cause: unknown) => ApiError,
  ) {
    this.#maxWaiting = settings.maxWaiting;
    this.#log = log;
    this.#shard = shard;
    this.#retiredError = retiredError;
    this.#committed = start;
  }

  /** The state with everything committed: what may be shown outside. */
  get committed(): State {
    return this.#committed.state;
  }

  /** The state that the next write sees. */
  get latest(): State {
    return this.#latest.state;
  }

  /**
   * Runs `operation`, synchronously, on the latest state, appends what it returns, and answers when
   * that is committed. An operation without records answers when everything it has read is; so does one
   * that throws, as a refusal says something about the state. If it throws, or the append does, nothing has changed.
   *
   * @param operation decides; must not change anything nor call back into the runtime. It is given
   * the position that its records will have
   */
  async write<Response>(
    operation: (state: State, position: number) => WriteResult<Rec, Response>,
  ): Promise<Response> {
    if (this.#retiredBy !== null) throw this.#retiredBy;
    if (this.#waiters.length >= this.#maxWaiting) throw overloaded(this.#maxWaiting);
    const position = this.#log.nextPosition;
    let decided: WriteResult<Rec, Response>;
    try {
      decided = operation(this.latest, position);
    } catch (error) {
      await this.whenCommitted(this.#latest.position);
      throw error;
    }
    const { records, response } = decided;
    if (records.length > 0) {
      assert(this.#log.nextPosition === position, 'an operation appends nothing by itself');
      this.#append(records, position);
    }
    await this.whenCommitted(this.#latest.position);
    return response;
  }

  /** Resolves when everything below `position`, which has been appended, is committed. */
  whenCommitted(position: number): Promise<void> {
    assert(position <= this.#latest.position, 'only what was appended can be waited for');
    if (position <= this.#committed.position) return Promise.resolve();
    if (this.#waiters.length >= this.#maxWaiting) {
      return Promise.reject(overloaded(this.#maxWaiting));
    }
    return new Promise((resolve, reject) => {
      // Nearly always the last place: writes wait for ever higher positions.
      let at = this.#waiters.length;
      while (at > 0 && this.#waiters[at - 1]!.position > position) at--;
      this.#waiters.splice(at, 0, { position, resolve, reject });
    });
  }

  /** Calls `listener` once for every commit from now on; the result ends that. */
  onCommitted(listener: CommitListener<State>): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Everything below `position` is committed; nothing happens if that was known, or after the retirement. */
  committedTo(position: number): void {
    let count = 0;
    while (count < this.#versions.length && this.#versions[count]!.position <= position) count++;
    if (count === 0) return;
    const before = this.#committed;
    this.#committed = this.#versions.splice(0, count).at(-1)!;
    // Listeners first: who is answered finds the change wherever the listeners have carried it.
    for (const listener of this.#listeners) listener(before.state, this.#committed.state);
    let settled = 0;
    while (
      settled < this.#waiters.length &&
      this.#waiters[settled]!.position <= this.#committed.position
    ) {
      settled++;
    }
    for (const waiter of this.#waiters.splice(0, settled)) waiter.resolve();
  }

  /** Drops what is not committed and refuses everything from now on: this node no longer leads. */
  retire(cause: unknown): void {
    if (this.#retiredBy !== null) return;
    const error = this.#retiredError(cause);
    const waiters = this.#waiters;
    this.#retiredBy = error;
    this.#versions = [];
    this.#waiters = [];
    for (const waiter of waiters) waiter.reject(error);
  }

  get #latest(): Version<State> {
    return this.#versions.at(-1) ?? this.#committed;
  }

  #append(records: readonly Rec[], position: number): void {
    // Replayed first: if that or the append throws, neither has happened.
    const state = this.#replay(this.latest, records, position);
    const end = this.#log.append(records.map((record) => this.#shard.encode(record)));
    this.#versions.push({ position: end, state });
  }

  #replay(state: State, records: readonly Rec[], position: number): State {
    let next = state;
    for (const record of records) next = this.#shard.replay(next, record, position);
    return next;
  }
}

const overloaded = (limit: number): ApiError =>
  new ApiError(Errors.BROKER_OVERLOADED, `${limit} requests already wait for a commit`);
