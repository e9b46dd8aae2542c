import { expect, test } from 'vitest';
import { measureKafkaHeap, SLACK_BYTES } from './kafka-heap.ts';

// In a file of its own: what another test has left to be collected would be measured with it.
test('a Kafka request takes no more memory than it says before it is decoded', async () => {
  const measures = await measureKafkaHeap();
  const over = measures.filter(
    ({ heapBytes, claimedBytes }) => heapBytes > 1.1 * claimedBytes + SLACK_BYTES,
  );
  expect(over).toEqual([]);
  // What is claimed is not out of the air either.
  const dear = measures.filter(
    ({ heapBytes, claimedBytes }) => claimedBytes > 5 * (heapBytes + SLACK_BYTES),
  );
  expect(dear).toEqual([]);
  expect(measures.length).toBeGreaterThan(5);
});
