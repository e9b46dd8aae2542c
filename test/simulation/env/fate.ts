import type { SimulatedRandom } from './simulated-random.ts';

/** Decides what a power cut leaves of what was not synced. */
export interface Fate {
  /**
   * What is asked from now on is about another file, folder or store.
   *
   * @param likelihoods of these, how likely each of its changes has arrived may be drawn
   */
  begin(likelihoods: readonly number[]): void;
  /** Whether a change that was not synced is there. */
  arrives(): boolean;
  /** How many of `count` changes are there, from the first. */
  arrivedOf(count: number): number;
  /** How many of the bytes that were written to one sector are there, from the first. */
  arrivedBytes(count: number): number;
}

/** One sector in so many that did not arrive whole is torn. */
const TORN_ONE_IN = 8;

/** Draws. */
export class RandomFate implements Fate {
  readonly #random: SimulatedRandom;
  #likelihood = 0;

  constructor(random: SimulatedRandom) {
    this.#random = random;
  }

  begin(likelihoods: readonly number[]): void {
    this.#likelihood = this.#random.pick(likelihoods);
  }

  arrives(): boolean {
    return this.#random.chance(this.#likelihood);
  }

  arrivedOf(count: number): number {
    if (this.#likelihood === 0) return 0;
    return this.#likelihood === 1 ? count : this.#random.below(count + 1);
  }

  arrivedBytes(count: number): number {
    if (this.arrives()) return count;
    if (this.#likelihood === 0 || this.#random.below(TORN_ONE_IN) > 0) return 0;
    return this.#random.below(count);
  }
}

/** Everything that was not synced is gone: the least that a disk may keep. */
export const nothingArrives: Fate = {
  begin() {},
  arrives: () => false,
  arrivedOf: () => 0,
  arrivedBytes: () => 0,
};

interface Choice {
  taken: number;
  readonly options: number;
}

/**
 * Takes every way, one after another: `while (fate.next()) ...` with one power cut inside. What is
 * asked of it must depend on its earlier answers alone. One sector is torn at most, the one that was
 * being written, and one place in it stands for all.
 */
export class EveryFate implements Fate {
  /** The answers of the present way, in the order in which they were asked for. */
  readonly #choices: Choice[] = [];
  #asked = 0;
  #isTorn = false;
  #ways = 0;

  /** How many ways were begun. */
  get ways(): number {
    return this.#ways;
  }

  /** Turns to the next way; false when there is none. */
  next(): boolean {
    this.#asked = 0;
    this.#isTorn = false;
    if (this.#ways > 0) {
      while (this.#choices.length > 0 && isLastOption(this.#choices.at(-1)!)) this.#choices.pop();
      if (this.#choices.length === 0) return false;
      this.#choices.at(-1)!.taken++;
    }
    this.#ways++;
    return true;
  }

  begin(): void {}

  arrives(): boolean {
    return this.#choose(2) === 1;
  }

  arrivedOf(count: number): number {
    return this.#choose(count + 1);
  }

  arrivedBytes(count: number): number {
    const isTearable = count > 1 && !this.#isTorn;
    const choice = this.#choose(isTearable ? 3 : 2);
    this.#isTorn ||= choice === 2;
    return [0, count, count >>> 1][choice]!;
  }

  #choose(options: number): number {
    if (options === 1) return 0;
    const at = this.#asked++;
    if (at === this.#choices.length) this.#choices.push({ taken: 0, options });
    return this.#choices[at]!.taken;
  }
}

const isLastOption = ({ taken, options }: Choice): boolean => taken === options - 1;
