import { expect, test } from 'vitest';
import { setting } from '../../../src/config/setting.ts';
import { settingValues } from '../../../src/config/setting-values.ts';

const size = setting.bytes({ key: 'b.size', default: 1, doc: '' });
const name = setting.text({ key: 'a.name', default: 'x', doc: '' });

test('settings of all groups are told by key, each once, with what is given or the default', () => {
  const values = settingValues([{ size, name }, { size }], new Map([['b.size', '2KiB']]));
  expect(values).toEqual([
    { declared: name, value: 'x' },
    { declared: size, value: '2048' },
  ]);
  expect(() => settingValues([{ size }], new Map([['b.size', 'big']]))).toThrow('"big"');
});
