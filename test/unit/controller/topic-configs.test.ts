import { expect, test } from 'vitest';
import { setting } from '../../../src/config/setting.ts';
import { TopicConfigRules } from '../../../src/controller/topic-configs.ts';

const rules = new TopicConfigRules({
  retentionMs: setting.ms({ key: 'retention.ms', default: 1000, min: -1, doc: '' }),
  policy: setting.list({ key: 'policy', default: ['a', 'b'], doc: '' }),
});

test('values are kept without units, so that their meaning hangs on nobody', () => {
  expect(rules.normalize({ 'retention.ms': '2s', policy: 'b , c' })).toEqual(
    new Map([
      ['retention.ms', '2000'],
      ['policy', 'b,c'],
    ]),
  );
  expect(rules.normalizeOne('retention.ms', '2s')).toBe('2000');
});

test('a value that is not valid, or not text, is refused, and so is a setting that there is not', () => {
  for (const [key, text] of [
    ['retention.ms', 'soon'],
    ['policy', '\ud800'],
    ['policies', 'a'],
    ['x'.repeat(1e6), 'a'],
  ] as const) {
    const refusal = rules.normalizeOne(key, text);
    expect(refusal).toMatchObject({ row: { name: 'INVALID_CONFIG' } });
    expect((refusal as { detail: string }).detail.length).toBeLessThan(300);
    expect(rules.normalize({ [key]: text })).toEqual(refusal);
  }
});

test('a list has the items of its text, or else of its default', () => {
  expect(rules.itemsOf('policy', 'c')).toEqual(['c']);
  expect(rules.itemsOf('policy', '')).toEqual([]);
  expect(rules.itemsOf('policy', undefined)).toEqual(['a', 'b']);
  expect(rules.itemsOf('retention.ms', undefined)).toMatchObject({
    row: { name: 'INVALID_CONFIG' },
  });
  expect(rules.itemsOf('policies', undefined)).toMatchObject({ row: { name: 'INVALID_CONFIG' } });
});
