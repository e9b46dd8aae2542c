import { expect, test } from 'vitest';
import { PersistentMap } from '../../../src/metadata/persistent-map.ts';

const filled = (count: number): PersistentMap<number, string> => {
  let map = new PersistentMap<number, string>();
  for (let key = 0; key < count; key++) map = map.set(key, `v${key}`);
  return map;
};

test('a change leaves the map it was made from as it was', () => {
  const before = filled(100);
  const after = before.set(7, 'other').delete(8);
  expect([before.get(7), before.get(8), before.size]).toEqual(['v7', 'v8', 100]);
  expect([after.get(7), after.get(8), after.size]).toEqual(['other', undefined, 99]);
});

test('a change that changes nothing gives the same map', () => {
  const map = filled(100);
  expect(map.set(7, 'v7')).toBe(map);
  expect(map.delete(1000)).toBe(map);
});

test('a key with the value undefined is there', () => {
  const map = new PersistentMap<string, undefined>().set('a', undefined);
  expect(map.has('a')).toBe(true);
  expect(map.size).toBe(1);
  expect(map.set('a', undefined)).toBe(map);
});

test('keys with the same hash are kept apart', () => {
  // Known collisions of FNV-1a; so is every sequence of the two.
  let keys = [''];
  for (let i = 0; i < 5; i++) keys = keys.flatMap((key) => [`${key}costarring`, `${key}liquor`]);
  let map = new PersistentMap<string, string>();
  for (const key of keys) map = map.set(key, key);
  expect(map.size).toBe(32);
  for (const key of keys) expect(map.get(key)).toBe(key);
  for (const key of keys.slice(1)) map = map.delete(key);
  expect([...map]).toEqual([[keys[0], keys[0]]]);
});

test('an emptied map is like a new one', () => {
  let map = filled(1000);
  for (let key = 0; key < 1000; key++) map = map.delete(key);
  expect([...map]).toEqual([]);
  expect(map.size).toBe(0);
  map.forEachChange(new PersistentMap(), () => expect.unreachable());
});

test('what differs between two versions of a large map is found', () => {
  const before = filled(100_000);
  const after = before.set(5, 'other').delete(6).set(100_001, 'new');
  const changes: unknown[] = [];
  after.forEachChange(before, (key, old, current) => changes.push([key, old, current]));
  expect(changes).toHaveLength(3);
  expect(changes).toContainEqual([5, 'v5', 'other']);
  expect(changes).toContainEqual([6, 'v6', undefined]);
  expect(changes).toContainEqual([100_001, undefined, 'new']);
});
