import { expect, test } from 'vitest';
import { SECTOR_BYTES } from '../../simulation/env/unsynced-content.ts';
import { bytes, durableFile, outcomes, SEEDS, textOf } from './machine.ts';

const sectors = (...values: number[]): Uint8Array =>
  Buffer.concat(values.map((value) => Buffer.alloc(SECTOR_BYTES, value)));

/** One character a sector: its value if it is whole, `~` if it is torn. */
function shape(content: string): string {
  const letters: string[] = [];
  for (let at = 0; at < content.length; at += SECTOR_BYTES) {
    const values = new Set(Buffer.from(content.slice(at, at + SECTOR_BYTES)));
    letters.push(values.size === 1 ? `${[...values][0]}` : '~');
  }
  return letters.join('');
}

test('a process crash loses nothing that was written', async () => {
  const seen = await outcomes(
    async ({ env }) => {
      const file = await env.files.open('/a', 'create');
      await file.write(0, [bytes('hello')]);
    },
    'process',
    (env) => textOf(env, '/a'),
  );
  expect(seen).toEqual(new Map([['hello', SEEDS]]));
});

test('synced bytes survive every power cut', async () => {
  const seen = await outcomes(
    async ({ env }) => {
      const file = await durableFile(env, '/a', bytes('hello'));
      await file.write(5, [bytes(' world')]);
      await file.sync();
    },
    'power',
    (env) => textOf(env, '/a'),
  );
  expect(seen).toEqual(new Map([['hello world', SEEDS]]));
});

test('of unsynced sectors any subset survives a power cut, some torn', async () => {
  const seen = await outcomes(
    async ({ env }) => {
      const file = await durableFile(env, '/a', sectors(1, 1, 1));
      await file.write(0, [sectors(2, 2, 2)]);
    },
    'power',
    async (env) => shape(await textOf(env, '/a')),
  );
  const whole = [...seen.keys()].filter((key) => !key.includes('~'));
  expect(whole.sort()).toEqual(['111', '112', '121', '122', '211', '212', '221', '222']);
  expect([...seen.keys()].some((key) => key.includes('~'))).toBe(true);
});

test('a size can survive without its data, which then reads as zeros', async () => {
  const seen = await outcomes(
    async ({ env }) => {
      const file = await durableFile(env, '/a', sectors(1));
      await file.write(SECTOR_BYTES, [sectors(2)]);
    },
    'power',
    async (env) => shape(await textOf(env, '/a')),
  );
  expect([...seen.keys()].sort()).toEqual(['1', '10', '12', '1~']);
});

test('of writes to one sector the later never survives without the earlier', async () => {
  const seen = await outcomes(
    async ({ env }) => {
      const file = await durableFile(env, '/a', bytes('....'));
      await file.write(0, [bytes('a')]);
      await file.write(1, [bytes('b')]);
      await file.write(2, [bytes('c')]);
    },
    'power',
    (env) => textOf(env, '/a'),
  );
  expect([...seen.keys()].sort()).toEqual(['....', 'a...', 'ab..', 'abc.']);
});

test('a torn sector has the beginning of what was written and then what was there', async () => {
  const seen = await outcomes(
    async ({ env }) => {
      const file = await durableFile(env, '/a', bytes('......'));
      await file.write(1, [bytes('abcd')]);
    },
    'power',
    (env) => textOf(env, '/a'),
  );
  expect([...seen.keys()].sort()).toEqual(
    ['......', '.a....', '.ab...', '.abc..', '.abcd.'].sort(),
  );
});

test('a truncation may survive or not, and what it cut off comes back whole or not at all', async () => {
  const seen = await outcomes(
    async ({ env }) => {
      const file = await durableFile(env, '/a', bytes('secret'));
      await file.truncate(0);
      await file.truncate(3);
    },
    'power',
    (env) => textOf(env, '/a'),
  );
  expect([...seen.keys()].sort()).toEqual(['', '\0\0\0', 'secret']);
});

test('a truncation that was synced stays, whatever is written after', async () => {
  const seen = await outcomes(
    async ({ env }) => {
      const file = await durableFile(env, '/a', sectors(1, 1, 1, 1));
      await file.truncate(0);
      await file.sync();
      await file.write(0, [sectors(2, 2, 2, 2)]);
    },
    'power',
    async (env) => shape(await textOf(env, '/a')),
  );
  expect(seen.size).toBeGreaterThan(5);
  for (const content of seen.keys()) expect(content).not.toContain('1');
});

test('a sync covers the writes that ended before it began and promises nothing of others', async () => {
  const seen = await outcomes(
    async ({ env }) => {
      const file = await durableFile(env, '/a', sectors(1, 1, 1));
      await file.write(0, [sectors(2)]);
      const late = file.write(SECTOR_BYTES, [sectors(2)]);
      await file.sync();
      await late;
      await file.write(2 * SECTOR_BYTES, [sectors(2)]);
    },
    'power',
    async (env) => shape(await textOf(env, '/a')),
  );
  for (const content of seen.keys()) expect(content).toMatch(/^2[12~][12~]$/);
  for (const content of ['211', '212', '221', '222']) expect(seen.has(content)).toBe(true);
});

test('a sync by one handle covers what another wrote', async () => {
  const seen = await outcomes(
    async ({ env }) => {
      const file = await durableFile(env, '/a', bytes('..'));
      await file.write(0, [bytes('ab')]);
      const other = await env.files.open('/a', 'read');
      await other.sync();
    },
    'power',
    (env) => textOf(env, '/a'),
  );
  expect(seen).toEqual(new Map([['ab', SEEDS]]));
});

test('a write that a crash interrupts may be there in part, also after a process crash', async () => {
  const seen = await outcomes(
    async ({ env }) => {
      const file = await durableFile(env, '/a', bytes('...'));
      void file.write(0, [bytes('a'), bytes('bc')]);
    },
    'process',
    (env) => textOf(env, '/a'),
  );
  expect([...seen.keys()].sort()).toEqual(['...', 'a..', 'ab.', 'abc']);
});

test('writes that are under way at once land in any order', async () => {
  const seen = await outcomes(
    async ({ env }) => {
      const file = await durableFile(env, '/a', bytes('.'));
      await Promise.all([file.write(0, [bytes('x')]), file.write(0, [bytes('y')])]);
    },
    'process',
    (env) => textOf(env, '/a'),
  );
  expect([...seen.keys()].sort()).toEqual(['x', 'y']);
});

test('a buffer that is changed before its write ended is written as changed', async () => {
  const seen = await outcomes(
    async ({ env }) => {
      const file = await durableFile(env, '/a', bytes('.'));
      const buffer = bytes('x');
      const written = file.write(0, [buffer]);
      buffer.set(bytes('!'));
      await written;
    },
    'process',
    (env) => textOf(env, '/a'),
  );
  expect(seen).toEqual(new Map([['!', SEEDS]]));
});
