import { expect, test } from 'vitest';
import { documentSettings, withTable } from '../../../src/config/document-settings.ts';
import { setting } from '../../../src/config/setting.ts';

const group = {
  rack: setting.text({ key: 'rack', default: '', doc: 'Where it stands: a | b.' }),
  bytes: setting.bytes({ key: 'log.segment.bytes', default: 1024, min: 14, doc: 'Size.' }),
};

test('the table lists settings by key, for people to read', () => {
  expect(documentSettings([group])).toBe(
    [
      '| setting | type | default | what it does |',
      '| --- | --- | --- | --- |',
      '| `log.segment.bytes` | bytes, from 14 B | `1 KiB` | Size. |',
      '| `rack` | text | (empty) | Where it stands: a \\| b. |',
    ].join('\n'),
  );
});

test('a setting that two groups share stands once', () => {
  expect(documentSettings([group, group]).match(/`rack`/g)).toHaveLength(1);
});

test('the table replaces what stands between its marks and nothing else', () => {
  const before = '# Title\n<!-- a -->\nold\n<!-- /a -->\nrest\n<!-- b -->\nold\n<!-- /b -->\n';
  expect(withTable(before, 'b', 'new')).toBe(
    '# Title\n<!-- a -->\nold\n<!-- /a -->\nrest\n<!-- b -->\nnew\n<!-- /b -->\n',
  );
});

test('a text without the marks has no place for the table', () => {
  expect(withTable('# Title\n', 'a', 'new')).toBeUndefined();
  expect(withTable('<!-- /a --><!-- a -->', 'a', 'new')).toBeUndefined();
});
