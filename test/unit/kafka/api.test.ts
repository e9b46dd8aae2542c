import { expect, test } from 'vitest';
import { CorruptError } from '../../../src/codec/reader.ts';
import { api } from '../../../src/kafka/api.ts';
import { servedApis } from '../../../src/kafka/api-table.ts';
import { int8, string } from '../../../src/kafka/fields.ts';
import { FrameWriter } from '../../../src/kafka/frame-writer.ts';
import type { RequestContext } from '../../../src/kafka/request-context.ts';

const context = {} as RequestContext;
const bytesOf = (hex: string) => new Uint8Array(Buffer.from(hex, 'hex'));

const echo = api(
  {
    key: 7,
    name: 'Echo',
    versions: '1-3',
    flexible: '2+',
    request: { a: int8('0+'), text: string('2+') },
    response: { a: int8('0+'), text: string('3+') },
  },
  async ({ a, text }) => (a === 0 ? null : { a, text }),
);

async function answer(hex: string, version: number): Promise<string | null> {
  const written = await echo.open(bytesOf(hex), version).decode()(context);
  if (written === null) return null;
  const writer = new FrameWriter();
  written(writer);
  return Buffer.concat(writer.finish()).toString('hex');
}

test('a request is decoded and its answer written in the version it came in', async () => {
  expect(await answer('05', 1)).toBe('00000001' + '05');
  expect(await answer('05027800', 2)).toBe('00000002' + '05' + '00');
  expect(await answer('05027800', 3)).toBe('00000004' + '05' + '0278' + '00');
  expect(await answer('00', 1)).toBeNull();
});

test('a request says what it will take before it is decoded', () => {
  const short = echo.open(bytesOf('05027800'), 2).heapBytes;
  const long = echo.open(bytesOf(`0564${'78'.repeat(99)}00`), 2).heapBytes;
  expect(long - short).toBe(2 * 98);
});

test('wrong lengths are refused before a request is paid for, wrong contents when it is decoded', () => {
  expect(() => echo.open(bytesOf('0509'), 2)).toThrow(CorruptError);
  const opened = echo.open(bytesOf('0502ff00'), 2);
  expect(() => opened.decode()).toThrow(CorruptError);
});

test('what is not said is not so', () => {
  const { advertised, versions, overlaps, hasFlexibleHeader } = echo;
  expect({ advertised, overlaps, hasFlexibleHeader }).toEqual({
    advertised: versions,
    overlaps: false,
    hasFlexibleHeader: true,
  });
});

test('every API of the table is there once, and says so of every version it serves', () => {
  const keys = servedApis.map(({ key }) => key);
  expect(keys).toEqual([...new Set(keys)].sort((a, b) => a - b));
  for (const { versions, advertised } of servedApis) {
    expect(advertised.first).toBeLessThanOrEqual(versions.first);
    expect(advertised.last).toBe(versions.last);
    expect(Number.isFinite(versions.last)).toBe(true);
  }
  expect(servedApis.filter(({ overlaps }) => overlaps).map(({ name }) => name)).toEqual([
    'Produce',
  ]);
});
