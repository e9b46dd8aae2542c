import { expect, test } from 'vitest';
import { StickyPartitioner } from '../../../src/client/partitioner.ts';
import { SimulatedRandom } from '../../simulation/env/simulated-random.ts';

const everyone = () => true;

test('without a key the partition stays until its batch is closed, then is another one', () => {
  const partitioner = new StickyPartitioner(new SimulatedRandom(1));
  let before = partitioner.pick(null, 4, everyone);
  for (let i = 0; i < 50; i++) {
    expect(partitioner.pick(null, 4, everyone)).toBe(before);
    partitioner.batchClosed((before + 1) % 4);
    expect(partitioner.pick(null, 4, everyone)).toBe(before);
    partitioner.batchClosed(before);
    const next = partitioner.pick(null, 4, everyone);
    expect(next).not.toBe(before);
    before = next;
  }
});

test('over time every partition has its turn', () => {
  const partitioner = new StickyPartitioner(new SimulatedRandom(2));
  const seen = new Set<number>();
  for (let i = 0; i < 200; i++) {
    const partition = partitioner.pick(null, 5, everyone);
    seen.add(partition);
    partitioner.batchClosed(partition);
  }
  expect(seen.size).toBe(5);
});

test('partitions without a leader are left out while another has one', () => {
  const partitioner = new StickyPartitioner(new SimulatedRandom(3));
  for (let i = 0; i < 20; i++) {
    const partition = partitioner.pick(null, 3, (p) => p === 1);
    expect(partition).toBe(1);
    partitioner.batchClosed(partition);
  }
  expect(partitioner.pick(null, 3, () => false)).toBeLessThan(3);
});

test('a partition that is not there any more is not kept', () => {
  const partitioner = new StickyPartitioner(new SimulatedRandom(4));
  partitioner.pick(null, 9, (p) => p === 8);
  expect(partitioner.pick(null, 2, everyone)).toBeLessThan(2);
});

test('the only partition is picked again and again', () => {
  const partitioner = new StickyPartitioner(new SimulatedRandom(5));
  for (let i = 0; i < 3; i++) {
    expect(partitioner.pick(null, 1, everyone)).toBe(0);
    partitioner.batchClosed(0);
  }
});
