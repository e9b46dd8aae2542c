import { assert } from '../model/assert.ts';
import type { Persist, ReceivedChunk } from './effects.ts';
import type { Entry, HardState } from './entry.ts';

/** One batch that the driver was asked to write. */
interface Write {
  readonly sequence: number;
  /** The end of the log with it. */
  readonly lastIndex: number;
  /** How often the log had been cut by then. */
  readonly cuts: number;
}

/** Waits until a batch is durable. */
interface Held {
  readonly sequence: number;
  run(): void;
}

/**
 * What was written down and is not durable yet, and everything that has to wait for it: nothing that
 * others rely on leaves a node before it would survive the node's end (DESIGN D9).
 */
export class PendingWrites {
  /** Of the newest batch that was handed out. */
  #sequence = 0;
  #writes: Write[] = [];
  #held: Held[] = [];
  #cuts = 0;
  /** Durable up to here; `<=` the end of the log. */
  #persistedIndex: number;
  // What comes into the next batch.
  #hardState: HardState | null = null;
  #truncateFrom: number | null = null;
  #entries: readonly Entry[] = [];
  #chunk: ReceivedChunk | null = null;

  constructor(persistedIndex: number) {
    this.#persistedIndex = persistedIndex;
  }

  get persistedIndex(): number {
    return this.#persistedIndex;
  }

  hardState(state: HardState): void {
    this.#hardState = state;
  }

  append(entries: readonly Entry[]): void {
    this.#entries = [...this.#entries, ...entries];
  }

  /** Completions of what was written before say nothing any more of this index and those behind it. */
  truncateFrom(index: number): void {
    assert(this.#entries.length === 0, 'a batch cuts the log before it appends');
    this.#truncateFrom = Math.min(this.#truncateFrom ?? index, index);
    this.#cuts++;
    this.#persistedIndex = Math.min(this.#persistedIndex, index - 1);
  }

  chunk(chunk: ReceivedChunk): void {
    assert(
      this.#chunk === null && this.#entries.length === 0,
      'a batch holds one piece, or entries',
    );
    this.#chunk = chunk;
  }

  /** The log was replaced; up to `handedIndex` the state machine has it. */
  replaceAll(handedIndex: number): void {
    this.#cuts++;
    this.#persistedIndex = handedIndex;
  }

  /** Runs it when everything written down so far is durable: now, if it is. */
  whenPersisted(run: () => void): void {
    if (this.#isDrafting()) this.#held.push({ sequence: this.#sequence + 1, run });
    else if (this.#writes.length > 0) this.#held.push({ sequence: this.#sequence, run });
    else run();
  }

  /** The batch of what came together since the last one. */
  flush(lastIndex: number): Persist | null {
    if (!this.#isDrafting()) return null;
    const batch: Persist = {
      kind: 'persist',
      sequence: ++this.#sequence,
      hardState: this.#hardState,
      truncateFrom: this.#truncateFrom,
      entries: this.#entries,
      chunk: this.#chunk,
    };
    this.#writes.push({ sequence: this.#sequence, lastIndex, cuts: this.#cuts });
    this.#hardState = null;
    this.#truncateFrom = null;
    this.#entries = [];
    this.#chunk = null;
    return batch;
  }

  /**
   * The batches up to this one are durable. One that was written before a cut says nothing of the log
   * as it is now: an entry may be durable, be deleted by a batch that is under way, and be in the log
   * again (DESIGN 4b rule 2). The batch that cut says it when it is durable.
   */
  persisted(sequence: number): void {
    const isKnown = this.#writes.some((write) => write.sequence === sequence);
    assert(isKnown, 'what is durable was asked for, and is told once');
    const done = this.#writes.filter((write) => write.sequence <= sequence);
    this.#writes = this.#writes.filter((write) => write.sequence > sequence);
    for (const { cuts, lastIndex } of done) {
      if (cuts === this.#cuts) this.#persistedIndex = Math.max(this.#persistedIndex, lastIndex);
    }
    const held = this.#held.filter((one) => one.sequence <= sequence);
    this.#held = this.#held.filter((one) => one.sequence > sequence);
    for (const { run } of held) run();
  }

  #isDrafting(): boolean {
    return (
      this.#hardState !== null ||
      this.#truncateFrom !== null ||
      this.#entries.length > 0 ||
      this.#chunk !== null
    );
  }
}
