import { expect, test } from 'vitest';
import { formatColumns } from '../../../src/cli/columns.ts';

test('columns are as wide as their widest cell, numbers to the right', () => {
  const rows = [
    ['orders', 12, 'durable'],
    ['a-longer-name', 3, ''],
  ];
  expect(formatColumns(['NAME', 'PARTITIONS', 'DURABILITY'], rows)).toBe(
    [
      'NAME           PARTITIONS  DURABILITY',
      'orders                 12  durable',
      'a-longer-name           3',
      '',
    ].join('\n'),
  );
});

test('no rows are a header', () => {
  expect(formatColumns(['NAME', 'PARTITIONS'], [])).toBe('NAME  PARTITIONS\n');
});
