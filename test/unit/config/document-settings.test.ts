import { expect, test } from 'vitest';
import { documentSettings, withSettingsTable } from '../../../src/config/document-settings.ts';
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

test('the table replaces what stands between the marks and nothing else', () => {
  const before = '# Title\n<!-- settings -->\nold\n<!-- /settings -->\nrest\n';
  expect(withSettingsTable(before, 'new')).toBe(
    '# Title\n<!-- settings -->\nnew\n<!-- /settings -->\nrest\n',
  );
});

test('a text without the marks has no place for the table', () => {
  expect(withSettingsTable('# Title\n', 'new')).toBeUndefined();
  expect(withSettingsTable('<!-- /settings --><!-- settings -->', 'new')).toBeUndefined();
});
