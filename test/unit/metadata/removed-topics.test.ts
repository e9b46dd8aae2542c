import { expect, test } from 'vitest';
import { REMOVED_TOPICS_LIMIT, RemovedTopics } from '../../../src/metadata/removed-topics.ts';
import { topicId } from '../../../src/model/ids.ts';

const id = (n: number) => topicId(String(n).padStart(22, 'x'));

test('removed topics are remembered in order', () => {
  const removed = new RemovedTopics().add(id(2)).add(id(1)).add(id(2));
  expect([...removed]).toEqual([id(2), id(1)]);
  expect(removed.has(id(1))).toBe(true);
  expect(removed.has(id(3))).toBe(false);
});

test('beyond the limit the oldest is forgotten first', () => {
  let removed = new RemovedTopics();
  for (let n = 0; n < REMOVED_TOPICS_LIMIT; n++) removed = removed.add(id(n));
  const full = removed;
  removed = removed.add(id(REMOVED_TOPICS_LIMIT)).add(id(REMOVED_TOPICS_LIMIT + 1));
  expect(removed.size).toBe(REMOVED_TOPICS_LIMIT);
  expect([0, 1, 2].map((n) => removed.has(id(n)))).toEqual([false, false, true]);
  expect([...removed].slice(0, 2)).toEqual([id(2), id(3)]);
  expect(full.has(id(0))).toBe(true);
});
