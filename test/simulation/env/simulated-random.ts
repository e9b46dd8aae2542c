import type { Random } from '../../../src/env/ports.ts';
import { assert } from '../../../src/model/assert.ts';

/**
 * xoshiro128**, seeded through splitmix32. Not for secrets.
 *
 * Who needs chance of its own takes a `fork`: its stream depends on the seed and the label alone,
 * so that one more draw in one place shifts nothing in another.
 */
export class SimulatedRandom implements Random {
  readonly #seed: number;
  readonly #state: Uint32Array;

  /** @param seed a safe integer */
  constructor(seed: number) {
    assert(Number.isSafeInteger(seed), 'a seed is a safe integer');
    this.#seed = seed;
    const next = splitmix32(seed >>> 0, Math.floor(seed / 0x1_0000_0000) >>> 0);
    this.#state = Uint32Array.of(next(), next(), next(), next());
  }

  /** A generator of its own. The same label twice gives the same numbers twice. */
  fork(label: string): SimulatedRandom {
    let hash = 0x811c_9dc5;
    for (let i = 0; i < label.length; i++) {
      hash = Math.imul(hash ^ label.charCodeAt(i), 0x0100_0193) >>> 0;
    }
    const next = splitmix32(this.#seed >>> 0, Math.floor(this.#seed / 0x1_0000_0000) ^ hash);
    return new SimulatedRandom((next() % 0x20_0000) * 0x1_0000_0000 + next());
  }

  uint32(): number {
    const s = this.#state;
    const result = Math.imul(rotateLeft(Math.imul(s[1]!, 5), 7), 9) >>> 0;
    const shifted = s[1]! << 9;
    s[2]! ^= s[0]!;
    s[3]! ^= s[1]!;
    s[1]! ^= s[2]!;
    s[0]! ^= s[3]!;
    s[2]! ^= shifted;
    s[3] = rotateLeft(s[3]!, 11);
    return result;
  }

  bytes(count: number): Uint8Array {
    const bytes = new Uint8Array(count);
    for (let i = 0; i < count; i++) bytes[i] = this.uint32();
    return bytes;
  }

  /** A whole number from 0 to `limit` - 1; `limit` is at most 2^32. */
  below(limit: number): number {
    assert(Number.isSafeInteger(limit) && limit > 0, 'there is a number below the limit');
    return Math.floor((this.uint32() / 0x1_0000_0000) * limit);
  }

  /** A whole number from `low` to `high`, both inclusive. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  /** True with the given probability. */
  chance(probability: number): boolean {
    return this.uint32() < probability * 0x1_0000_0000;
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]!;
  }
}

function splitmix32(low: number, high: number): () => number {
  let state = (low ^ Math.imul(high, 0x9e37_79b1)) >>> 0;
  return () => {
    state = (state + 0x9e37_79b9) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0_aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a_2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  };
}

const rotateLeft = (value: number, by: number): number => (value << by) | (value >>> (32 - by));
