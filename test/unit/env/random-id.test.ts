import { expect, test } from 'vitest';
import { randomId } from '../../../src/env/random-id.ts';

test('an id is 128 bits in 22 characters that need no escaping', () => {
  const random = { uint32: () => 0, bytes: (count: number) => new Uint8Array(count).fill(0xff) };
  expect(randomId(random)).toBe('_____________________w');
});
