import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { withTable } from '../../src/config/document-settings.ts';
import { servedApis } from '../../src/kafka/api-table.ts';
import type { VersionRange } from '../../src/kafka/versions.ts';
import { root } from './source-files.ts';

const README = 'src/kafka/README.md';

const shown = ({ first, last }: VersionRange): string =>
  first === last ? `${first}` : `${first}–${last}`;

/** `npx vitest -u` on this file writes the table anew. */
test('the README of kafka lists what is served', async () => {
  const lines = servedApis.map(({ key, name, versions, advertised }) => {
    const more = shown(versions) === shown(advertised) ? '' : ` (said to be ${shown(advertised)})`;
    return `| ${key} | ${name} | ${shown(versions)}${more} |`;
  });
  const table = ['| key | API | versions |', '| --- | --- | --- |', ...lines, ''].join('\n');
  const readme = readFileSync(root + README, 'utf8');
  const expected = withTable(readme, 'served APIs', table);
  expect(expected, `${README} has no place for the table`).toBeDefined();
  await expect(expected).toMatchFileSnapshot(root + README);
});
