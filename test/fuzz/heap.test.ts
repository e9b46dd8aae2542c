import { expect, test } from 'vitest';
import { excess, FIXED_HEAP_BYTES, measureHeap } from './heap.ts';

// In a file of its own: what another test has left to be collected would be measured with it.
test('a request that is decoded takes little more memory than four times its bytes', async () => {
  // Code and caches are not what is measured.
  await measureHeap();
  const measures = await measureHeap();
  expect(measures.filter((measure) => excess(measure) > FIXED_HEAP_BYTES)).toEqual([]);
  // Something was decoded, and something refused.
  expect(measures.filter(({ heapBytes }) => heapBytes > 500_000).length).toBeGreaterThan(2);
  expect(measures.filter(({ isRefused }) => isRefused).length).toBeGreaterThan(2);
});
