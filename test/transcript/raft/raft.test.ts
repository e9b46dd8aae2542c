import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { replay } from '../transcript.ts';
import { Stage } from './stage.ts';

const stories = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.txt'));

test('there are stories', () => {
  expect(stories.length).toBeGreaterThan(20);
});

test.each(stories)('%s goes as it is written down', async (name) => {
  const path = join(import.meta.dirname, name);
  const stage = new Stage();
  const played = replay(readFileSync(path, 'utf8'), (command) => stage.run(command));
  await expect(played).toMatchFileSnapshot(path);
});

test('an unknown command, and one that names a node that is not there, are refused', () => {
  expect(() => new Stage().run('dance 1')).toThrow('there is no command "dance"');
  expect(() => new Stage().run('campaign 9')).toThrow('there is no node 9');
});
