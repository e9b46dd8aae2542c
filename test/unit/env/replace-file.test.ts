import { expect, test } from 'vitest';
import { replaceFile } from '../../../src/env/replace-file.ts';
import type { SyncKind } from '../../simulation/env/simulated-disk.ts';
import { simulatedEnv } from '../../simulation/env/simulated-env.ts';
import { textOf } from '../simulation/machine.ts';

const contentOf = (letter: string): Uint8Array => Buffer.alloc(2000, letter);

/** Replaces `a` by `b` and cuts the power, at the end or somewhere on the way. */
async function afterCut(seed: number, dropped: SyncKind | 'none', isOnTheWay: boolean) {
  const machine = simulatedEnv({ seed });
  const { env, scheduler, disk } = machine;
  await scheduler.complete(replaceFile(env.files, '/', 'state', contentOf('a')));
  disk.onSync = (kind) => (kind === dropped ? 'drop' : undefined);
  const replaced = replaceFile(env.files, '/', 'state', contentOf('b'));
  if (isOnTheWay) await scheduler.run(scheduler.nowMs + (seed % 60) / 10);
  else await scheduler.complete(replaced);
  machine.crash('power');
  const text = await scheduler.complete(textOf(machine.restart(), '/state'));
  return text === 'a'.repeat(2000) ? 'old' : text === 'b'.repeat(2000) ? 'new' : 'broken';
}

async function allAfterCut(dropped: SyncKind | 'none', isOnTheWay = false): Promise<Set<string>> {
  const seen = new Set<string>();
  for (let seed = 0; seed < 600; seed++) seen.add(await afterCut(seed, dropped, isOnTheWay));
  return seen;
}

test('a replaced file is the new one after a power cut', async () => {
  expect(await allAfterCut('none')).toEqual(new Set(['new']));
});

test('a power cut while a file is being replaced leaves the old or the new one', async () => {
  expect(await allAfterCut('none', true)).toEqual(new Set(['old', 'new']));
});

test('without the sync of the file the replacement can be broken', async () => {
  expect(await allAfterCut('file')).toContain('broken');
});

test('without the sync of the folder the old file can come back', async () => {
  expect(await allAfterCut('directory')).toEqual(new Set(['old', 'new']));
});
