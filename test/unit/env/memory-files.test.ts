import { expect, test } from 'vitest';
import { memoryEnv } from '../../../src/env/memory-env.ts';

test('two environments have two disks', async () => {
  const [one, other] = [memoryEnv(), memoryEnv()];
  await one.files.makeDirectory('/a');
  expect(await one.files.list('/')).toEqual(['a']);
  expect(await other.files.list('/')).toEqual([]);
});

test('paths mean the same with and without a leading slash, and with dots in them', async () => {
  const { files } = memoryEnv();
  await files.makeDirectory('a');
  await files.makeDirectory('./a/../a/b/');
  expect(await files.list('/a')).toEqual(['b']);
});

test('extending a file far takes no memory until it is written', async () => {
  const { files } = memoryEnv();
  const file = await files.open('/a', 'create');
  await file.truncate(2 ** 40);
  expect(await file.size()).toBe(2 ** 40);
  expect(await file.read(2 ** 39, 4)).toEqual(new Uint8Array(4));
  await file.close();
});

test('the root has no name that could be taken or removed', async () => {
  const { files } = memoryEnv();
  await expect(files.removeDirectory('/')).rejects.toMatchObject({ code: 'EBUSY' });
  await expect(files.rename('/', '/a')).rejects.toMatchObject({ code: 'EBUSY' });
});
