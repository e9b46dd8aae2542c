import { describe, expect, test } from 'vitest';
import {
  type KeyValueStore,
  StoreLockedError,
  type StoreOperation,
  type StoreRange,
} from '../../../src/env/ports.ts';
import { twins } from './twins.ts';

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'latin1'));
const put = (key: string, value: string): StoreOperation => ({
  type: 'put',
  key: bytes(key),
  value: bytes(value),
});
const remove = (key: string): StoreOperation => ({ type: 'delete', key: bytes(key) });
const all = { from: bytes(''), to: bytes('\xff\xff') };
const sync = { sync: true };

async function entries(store: KeyValueStore, range: StoreRange = all): Promise<string[]> {
  const found: string[] = [];
  for await (const [key, value] of store.entries(range)) {
    found.push(`${Buffer.from(key).toString('latin1')}=${Buffer.from(value).toString('latin1')}`);
  }
  return found;
}

describe.each(twins)('the $name stores', ({ run }) => {
  test('give back what was put, as plain Uint8Arrays', () =>
    run(async ({ stores }, folder) => {
      const store = await stores.open(`${folder}/s`);
      await store.batch([put('a', '1'), put('b', '')], sync);
      const value = await store.get(bytes('a'));
      expect(value).toEqual(bytes('1'));
      expect(Object.getPrototypeOf(value)).toBe(Uint8Array.prototype);
      expect(await store.get(bytes('b'))).toEqual(bytes(''));
      expect(await store.get(bytes('c'))).toBeUndefined();
      for await (const [key, read] of store.entries(all)) {
        expect(Object.getPrototypeOf(key)).toBe(Uint8Array.prototype);
        expect(Object.getPrototypeOf(read)).toBe(Uint8Array.prototype);
      }
      await store.close();
    }));

  test('apply the operations of a batch in their order', () =>
    run(async ({ stores }, folder) => {
      const store = await stores.open(`${folder}/s`);
      await store.batch([put('a', '1'), put('a', '2'), put('b', '1'), remove('b')], sync);
      await store.batch([remove('c'), put('d', '1')], { sync: false });
      await store.batch([], sync);
      expect(await entries(store)).toEqual(['a=2', 'd=1']);
      await store.close();
    }));

  test('keep keys in byte order, whatever the text in them', () =>
    run(async ({ stores }, folder) => {
      const store = await stores.open(`${folder}/s`);
      const keys = ['b', '\x00', 'a\x00', '\xfe', 'a', '\x7f', '\x80', 'ab'];
      await store.batch(
        keys.map((key) => put(key, '')),
        sync,
      );
      expect(await entries(store)).toEqual(
        ['\x00', 'a', 'a\x00', 'ab', 'b', '\x7f', '\x80', '\xfe'].map((key) => `${key}=`),
      );
      await store.close();
    }));

  test('give a range from its start up to before its end, forwards, backwards and limited', () =>
    run(async ({ stores }, folder) => {
      const store = await stores.open(`${folder}/s`);
      await store.batch(
        ['a', 'b', 'c', 'd', 'e'].map((key) => put(key, '')),
        sync,
      );
      const range = { from: bytes('b'), to: bytes('e') };
      expect(await entries(store, range)).toEqual(['b=', 'c=', 'd=']);
      expect(await entries(store, { ...range, reverse: true })).toEqual(['d=', 'c=', 'b=']);
      expect(await entries(store, { ...range, limit: 2 })).toEqual(['b=', 'c=']);
      expect(await entries(store, { ...range, limit: 1, reverse: true })).toEqual(['d=']);
      expect(await entries(store, { ...range, limit: 0 })).toEqual([]);
      expect(await entries(store, { from: bytes('e'), to: bytes('b') })).toEqual([]);
      await store.close();
    }));

  test('show an iteration the entries of its beginning', () =>
    run(async ({ stores }, folder) => {
      const store = await stores.open(`${folder}/s`);
      await store.batch([put('a', '1'), put('b', '1'), put('c', '1')], sync);
      const found: number[] = [];
      for await (const [key, value] of store.entries(all)) {
        if (found.length === 0)
          await store.batch([put('b', '2'), remove('c'), put('d', '2')], sync);
        found.push(key[0]!, value[0]!);
      }
      expect(Buffer.from(found).toString()).toBe('a1b1c1');
      await store.close();
    }));

  test('keep neither the keys and values that came in nor what they handed out', () =>
    run(async ({ stores }, folder) => {
      const store = await stores.open(`${folder}/s`);
      const operation = { type: 'put', key: bytes('k'), value: bytes('v') } as const;
      await store.batch([operation], sync);
      operation.key.fill(0);
      operation.value.fill(0);
      (await store.get(bytes('k')))?.fill(0);
      for await (const [key, value] of store.entries(all)) {
        key.fill(0);
        value.fill(0);
      }
      expect(await entries(store)).toEqual(['k=v']);
      await store.close();
    }));

  test('have one owner at a time and keep the content for the next', () =>
    run(async ({ stores }, folder) => {
      const store = await stores.open(`${folder}/s`);
      await store.batch([put('a', '1')], sync);
      await expect(stores.open(`${folder}/s`)).rejects.toThrow(StoreLockedError);
      await expect(stores.open(`${folder}/s`)).rejects.toThrow(`the store ${folder}/s is in use`);
      const other = await stores.open(`${folder}/t`);
      await other.close();
      await store.close();
      await store.close();
      const next = await stores.open(`${folder}/s`);
      expect(await entries(next)).toEqual(['a=1']);
      await next.close();
    }));

  test('are opened in a folder whose parent is there', () =>
    run(async ({ files, stores }, folder) => {
      await expect(stores.open(`${folder}/a/b`)).rejects.toMatchObject({ code: 'ENOENT' });
      const store = await stores.open(`${folder}/a`);
      expect(await files.list(folder)).toEqual(['a']);
      await store.close();
    }));

  test('fail every operation after close with EBADF', () =>
    run(async ({ stores }, folder) => {
      const store = await stores.open(`${folder}/s`);
      await store.close();
      await expect(store.get(bytes('a'))).rejects.toMatchObject({ code: 'EBADF' });
      await expect(store.batch([], sync)).rejects.toMatchObject({ code: 'EBADF' });
      await expect(entries(store)).rejects.toMatchObject({ code: 'EBADF' });
    }));
});
