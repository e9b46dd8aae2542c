import { expect, test } from 'vitest';
import { memoryEnv } from '../../../src/env/memory-env.ts';

const key = Uint8Array.of(1);

test('a store goes with its folder: moved, it is found there; removed, it is gone', async () => {
  const { files, stores } = memoryEnv();
  const store = await stores.open('/s');
  await store.batch([{ type: 'put', key, value: key }], { sync: true });
  await store.close();
  await files.rename('/s', '/t');
  const fresh = await stores.open('/s');
  expect(await fresh.get(key)).toBeUndefined();
  const moved = await stores.open('/t');
  expect(await moved.get(key)).toEqual(key);
  await moved.close();
  await files.removeDirectory('/t');
  const anew = await stores.open('/t');
  expect(await anew.get(key)).toBeUndefined();
});
