import { expect, test } from 'vitest';
import { NodeRandom } from '../../../src/env/node-random.ts';

test('numbers cover 32 bits and bytes come as many as asked for', () => {
  const random = new NodeRandom();
  let ones = 0;
  let zeros = 0;
  for (let i = 0; i < 200; i++) {
    const drawn = random.uint32();
    expect(drawn).toBe(drawn >>> 0);
    ones |= drawn;
    zeros |= ~drawn;
  }
  expect([ones >>> 0, zeros >>> 0]).toEqual([0xffff_ffff, 0xffff_ffff]);
  expect(random.bytes(0)).toHaveLength(0);
  expect(random.bytes(100_000)).toHaveLength(100_000);
  expect(random.bytes(16)).not.toEqual(random.bytes(16));
});
