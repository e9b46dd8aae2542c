import { expect, test } from 'vitest';
import { loadedPackages } from '../../tidy/floors.ts';
import { filesUnder } from '../../tidy/source-files.ts';

test('help, version and completion load nothing heavy', () => {
  const sources = filesUnder('src', ['.ts']);
  for (const entry of ['main', 'run-process', 'completion']) {
    const loaded = loadedPackages(sources, `src/cli/${entry}.ts`);
    const packages = [...loaded].filter((name) => !name.startsWith('node:'));
    expect(packages.filter((name) => name !== 'commander')).toEqual([]);
  }
});
