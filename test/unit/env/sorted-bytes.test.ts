import { expect, test } from 'vitest';
import { SortedBytes } from '../../../src/env/sorted-bytes.ts';
import { SimulatedRandom } from '../../simulation/env/simulated-random.ts';

const range = (from: number, to: number) => ({ from: Uint8Array.of(from), to: Uint8Array.of(to) });

test('answers as a plain map that is sorted on demand does', () => {
  for (let seed = 0; seed < 50; seed++) {
    const random = new SimulatedRandom(seed);
    const sorted = new SortedBytes();
    const plain = new Map<number, number>();
    for (let i = 0; i < 100; i++) {
      const key = random.below(30);
      if (random.chance(0.3)) {
        sorted.apply([{ type: 'delete', key: Uint8Array.of(key) }]);
        plain.delete(key);
      } else {
        sorted.apply([{ type: 'put', key: Uint8Array.of(key), value: Uint8Array.of(i) }]);
        plain.set(key, i);
      }
      expect(sorted.get(Uint8Array.of(key))?.[0]).toBe(plain.get(key));
    }
    const [from, to] = [random.below(30), random.below(30)];
    const expected = [...plain].filter(([key]) => key >= from && key < to);
    expected.sort(([a], [b]) => a - b);
    expect(sorted.range(range(from, to)).map(([key, value]) => [key[0], value[0]])).toEqual(
      expected,
    );
  }
});

test('a clone and its original change apart', () => {
  const original = new SortedBytes();
  original.apply([{ type: 'put', key: Uint8Array.of(1), value: Uint8Array.of(1) }]);
  const clone = original.clone();
  clone.apply([{ type: 'put', key: Uint8Array.of(1), value: Uint8Array.of(2) }]);
  original.apply([{ type: 'put', key: Uint8Array.of(2), value: Uint8Array.of(3) }]);
  expect(original.get(Uint8Array.of(1))).toEqual(Uint8Array.of(1));
  expect(clone.range(range(0, 9))).toHaveLength(1);
});
