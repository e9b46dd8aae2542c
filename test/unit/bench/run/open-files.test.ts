import { expect, test } from 'vitest';
import { requireOpenFiles } from '../../../../bench/run/open-files.ts';
import { UnavailableError } from '../../../../bench/system.ts';

test('what needs more open files than there may be says so, by the name of the limit', () => {
  requireOpenFiles(1);
  const many = 2 ** 40;
  expect(() => requireOpenFiles(many)).toThrow(UnavailableError);
  expect(() => requireOpenFiles(many)).toThrow(
    /it takes 1099511627776 open files, ulimit -Hn allows \d+/,
  );
});
