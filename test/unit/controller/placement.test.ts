import fc from 'fast-check';
import { expect, test } from 'vitest';
import { placeReplicas } from '../../../src/controller/placement.ts';
import { nodeId } from '../../../src/model/ids.ts';

/** Brokers 1, 2, 3... in the racks of the text: `aab` or `---` for none. */
const brokersIn = (racks: string) =>
  [...racks].map((rack, i) => ({ nodeId: nodeId(i + 1), rack: rack === '-' ? '' : rack }));

const placed = (racks: string, partitionCount: number, replicationFactor: number, start = 0) =>
  placeReplicas({ brokers: brokersIn(racks), partitionCount, replicationFactor, start })
    .map((replicas) => replicas.join(''))
    .join(' ');

test('leaders go round the brokers, from wherever they start', () => {
  expect(placed('---', 5, 1)).toBe('1 2 3 1 2');
  expect(placed('---', 3, 1, 4_000_000_001)).toBe('3 1 2');
});

test('followers take turns, so that the partitions of a broker do not all follow on one other', () => {
  expect(placed('---', 6, 2)).toBe('12 23 31 13 21 32');
  expect(placed('----', 8, 2)).toBe('12 23 34 41 13 24 31 42');
});

test('replicas share no rack while there is another', () => {
  expect(placed('aabb', 4, 2)).toBe('13 24 31 42');
  expect(placed('aaab', 3, 2)).toBe('14 24 34');
});

test('replicas share a rack when there are more of them than racks', () => {
  expect(placed('aab', 1, 3)).toBe('132');
  expect(placed('aaa', 1, 3)).toBe('123');
});

test('the order in which brokers are given makes no difference', () => {
  const brokers = brokersIn('aabbc');
  const request = { partitionCount: 20, replicationFactor: 3, start: 7 };
  expect(placeReplicas({ ...request, brokers: brokers.toReversed() })).toEqual(
    placeReplicas({ ...request, brokers }),
  );
});

test('whatever the racks: no broker twice, as many racks as can be, leaders even to one', () => {
  const racks = fc.stringMatching(/^[abcd-]{1,9}$/);
  fc.assert(
    fc.property(racks, fc.nat(40), fc.nat(), fc.nat(8), (of, partitionCount, start, factor) => {
      const brokers = brokersIn(of);
      const replicationFactor = 1 + (factor % brokers.length);
      const rackOf = new Map(brokers.map((b) => [b.nodeId, b.rack || `own ${b.nodeId}`]));
      const rackCount = new Set(rackOf.values()).size;
      const partitions = placeReplicas({ brokers, partitionCount, replicationFactor, start });
      expect(partitions).toHaveLength(partitionCount);
      const leaders = new Map(brokers.map((b) => [b.nodeId, 0]));
      for (const replicas of partitions) {
        expect(new Set(replicas).size).toBe(replicationFactor);
        const used = new Set(replicas.map((node) => rackOf.get(node)));
        expect(used.size).toBe(Math.min(replicationFactor, rackCount));
        leaders.set(replicas[0]!, leaders.get(replicas[0]!)! + 1);
      }
      const counts = [...leaders.values()];
      expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
    }),
  );
});

test('without racks, replicas are spread evenly', () => {
  const brokers = brokersIn('-------');
  const request = { brokers, partitionCount: 70, replicationFactor: 3, start: 5 };
  const loads = new Map<number, number>();
  for (const node of placeReplicas(request).flat()) loads.set(node, (loads.get(node) ?? 0) + 1);
  for (const load of loads.values()) expect(Math.abs(load - 30)).toBeLessThanOrEqual(1);
});
