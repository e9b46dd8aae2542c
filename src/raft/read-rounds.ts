import { type Member, sameMember } from './configuration.ts';

/** Reads that a round of heartbeats answers. */
interface Round {
  readonly number: number;
  /** What was committed when the round began. */
  readonly index: number;
  readonly requestIds: readonly number[];
  readonly heardOf: Member[];
}

/** Reads that are answered. */
export interface FinishedReads {
  readonly index: number;
  readonly requestIds: readonly number[];
}

/**
 * Reads of a leader (read index, thesis 6.4). A majority that hears from the leader after a read has come
 * has elected nobody else before. Reads that come during a round share the next one.
 */
export class ReadRounds {
  /** Number of the newest round; rounds of a leader count from 1. */
  #number = 0;
  #current: Round | null = null;
  #waiting: number[] = [];

  get number(): number {
    return this.#number;
  }

  add(requestId: number): void {
    this.#waiting.push(requestId);
  }

  /** Begins a round if reads wait and none is under way. True if heartbeats are to leave. */
  begin(commitIndex: number): boolean {
    if (this.#current !== null || this.#waiting.length === 0) return false;
    this.#current = {
      number: ++this.#number,
      index: commitIndex,
      requestIds: this.#waiting,
      heardOf: [],
    };
    this.#waiting = [];
    return true;
  }

  /** A follower has answered a heartbeat of that round: one of an older round says nothing. */
  answered(member: Member, round: number): void {
    if (this.#current?.number !== round) return;
    const { heardOf } = this.#current;
    if (!heardOf.some((one) => sameMember(one, member))) heardOf.push(member);
  }

  /** Ends the round if those who have answered are enough. */
  finish(areEnough: (heardOf: readonly Member[]) => boolean): FinishedReads | null {
    const round = this.#current;
    if (round === null || !areEnough(round.heardOf)) return null;
    this.#current = null;
    return round;
  }

  /** All reads that are not answered, which nobody will answer any more. */
  drain(): number[] {
    const left = [...(this.#current?.requestIds ?? []), ...this.#waiting];
    this.#current = null;
    this.#waiting = [];
    return left;
  }
}
