import { assert } from '../../../src/model/assert.ts';
import type { SimulatedRandom } from './simulated-random.ts';

/** Something that will happen, unless it is cancelled before. */
export interface ScheduledEvent {
  /** Does nothing if it has happened. */
  cancel(): void;
  /** Does nothing: no process ends here because nothing keeps it alive. */
  unref(): void;
}

interface Entry extends ScheduledEvent {
  readonly timeUs: number;
  readonly tieBreak: number;
  readonly sequence: number;
  happen: (() => void) | undefined;
}

/** How much virtual time a wait for a condition may take before it counts as a hang. */
const PATIENCE_MS = 3_600_000;

/**
 * Virtual time. Events happen in order of time; which of two at the same microsecond comes first is
 * drawn from the seed. Between two events all promise reactions run. So nothing that is simulated
 * may wait for the real world: a real timer, file or socket would resolve at a moment that no seed
 * determines.
 */
export class Scheduler {
  readonly #random: SimulatedRandom;
  /** A binary heap: no entry comes before its parent. */
  readonly #heap: Entry[] = [];
  #nowUs = 0;
  #sequence = 0;
  #traceHash = 0x811c_9dc5;
  #isRunning = false;

  constructor(random: SimulatedRandom) {
    this.#random = random.fork('scheduler');
  }

  /** Virtual milliseconds since the start, in whole microseconds. */
  get nowMs(): number {
    return this.#nowUs / 1000;
  }

  /** A hash of which events happened when: equal for equal seeds, if all is determined by them. */
  get traceHash(): number {
    return this.#traceHash;
  }

  /** Lets `happen` happen `delayMs` from now. */
  after(delayMs: number, happen: () => void): ScheduledEvent {
    assert(delayMs >= 0, 'nothing is scheduled in the past');
    const entry: Entry = {
      timeUs: this.#nowUs + Math.ceil(delayMs * 1000),
      tieBreak: this.#random.uint32(),
      sequence: this.#sequence++,
      happen,
      cancel: () => {
        entry.happen = undefined;
      },
      unref: () => {},
    };
    this.#push(entry);
    return entry;
  }

  /**
   * Lets events happen until virtual time `until` in ms, or until the condition holds after one.
   * Throws what an event throws, and if the condition cannot come true any more.
   */
  async run(until: number | (() => boolean)): Promise<void> {
    assert(!this.#isRunning, 'the scheduler is run by one at a time');
    this.#isRunning = true;
    try {
      if (typeof until === 'number') await this.#runTo(Math.round(until * 1000));
      else await this.#runUntil(until);
    } finally {
      this.#isRunning = false;
    }
  }

  /** Runs until the promise is settled, and gives its outcome. */
  async complete<T>(promise: Promise<T>): Promise<T> {
    let isSettled = false;
    const settle = (): void => {
      isSettled = true;
    };
    promise.then(settle, settle);
    await this.run(() => isSettled);
    return promise;
  }

  async #runTo(endUs: number): Promise<void> {
    await reactions();
    while (this.#heap.length > 0 && this.#heap[0]!.timeUs <= endUs) await this.#step();
    this.#nowUs = Math.max(this.#nowUs, endUs);
  }

  async #runUntil(condition: () => boolean): Promise<void> {
    const startUs = this.#nowUs;
    await reactions();
    while (!condition()) {
      if (this.#heap.length === 0) {
        throw new Error(`nothing is left to happen at ${this.nowMs} ms, and the wait is not over`);
      }
      if (this.#nowUs - startUs > PATIENCE_MS * 1000) {
        throw new Error(`the wait is not over after ${PATIENCE_MS} ms of virtual time`);
      }
      await this.#step();
    }
  }

  async #step(): Promise<void> {
    const entry = this.#pop();
    this.#nowUs = entry.timeUs;
    if (entry.happen === undefined) return;
    this.#trace(entry.timeUs);
    this.#trace(entry.sequence);
    entry.happen();
    await reactions();
  }

  #trace(value: number): void {
    const low = Math.imul(this.#traceHash ^ (value >>> 0), 0x0100_0193);
    this.#traceHash = Math.imul(low ^ Math.floor(value / 0x1_0000_0000), 0x0100_0193) >>> 0;
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      if (!comesBefore(entry, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = entry;
  }

  #pop(): Entry {
    const heap = this.#heap;
    const first = heap[0]!;
    const last = heap.pop()!;
    if (heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = at * 2 + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && comesBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!comesBefore(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

function comesBefore(a: Entry, b: Entry): boolean {
  if (a.timeUs !== b.timeUs) return a.timeUs < b.timeUs;
  if (a.tieBreak !== b.tieBreak) return a.tieBreak < b.tieBreak;
  return a.sequence < b.sequence;
}

/**
 * Resolves when all promise reactions have run, however long their chains are: Node calls a "next
 * tick" that was asked for inside a reaction when the queue of reactions is empty. It costs a third
 * of a turn of the event loop.
 */
const reactions = (): Promise<void> =>
  new Promise((resolve) => {
    process.nextTick(resolve);
  });
