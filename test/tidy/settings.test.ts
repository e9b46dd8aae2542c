import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { documentSettings, withTable } from '../../src/config/document-settings.ts';
import type { AnySettingGroup } from '../../src/config/parse-settings.ts';
import { topicLogSettings } from '../../src/log/topic-config.ts';
import { allSettings } from '../../src/server/all-settings.ts';
import { filesUnder, root } from './source-files.ts';

const README = 'src/server/README.md';

/** Every exported group of settings of `src/`, by the name of its constant. */
async function settingGroups(): Promise<Map<string, AnySettingGroup>> {
  const groups = new Map<string, AnySettingGroup>();
  for (const { path, text } of filesUnder('src', ['.ts'])) {
    for (const [, name] of text.matchAll(/^export const (\w+): SettingGroup</gm)) {
      const module = await import(pathToFileURL(root + path).href);
      groups.set(name!, module[name!] as AnySettingGroup);
    }
  }
  return groups;
}

const groups = await settingGroups();

test('every setting has a sentence of documentation', () => {
  expect(groups.size).toBeGreaterThan(2);
  const bare = [...groups.values()]
    .flatMap((group) => Object.values(group))
    .filter(({ doc }) => !doc.endsWith('.') || doc.length < 10)
    .map(({ key }) => key);
  expect(bare).toEqual([]);
});

test('a key means one thing, whichever groups declare it', () => {
  const meanings = new Map<string, string>();
  const torn: string[] = [];
  for (const { key, type } of [...groups.values()].flatMap((group) => Object.values(group))) {
    if ((meanings.get(key) ?? type) !== type) torn.push(key);
    meanings.set(key, type);
  }
  expect(torn).toEqual([]);
});

test('every group is one of a node or of a topic', () => {
  const known: AnySettingGroup[] = [...Object.values(allSettings), topicLogSettings];
  expect([...groups.values()].filter((group) => !known.includes(group))).toEqual([]);
});

/** `npx vitest -u` on this file writes the tables anew. */
test('the README of server lists every setting', async () => {
  const readme = readFileSync(root + README, 'utf8');
  const ofNodes = documentSettings(Object.values(allSettings));
  const ofTopics = documentSettings([topicLogSettings]);
  const withNodes = withTable(readme, 'settings of a node', ofNodes) ?? '';
  const expected = withTable(withNodes, 'settings of a topic', ofTopics);
  expect(expected, `${README} has no place for the tables`).toBeDefined();
  await expect(expected).toMatchFileSnapshot(root + README);
});
