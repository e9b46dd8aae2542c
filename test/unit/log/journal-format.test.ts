import { describe, expect, it } from 'vitest';
import { CorruptError } from '../../../src/codec/reader.ts';
import { ByteWriter } from '../../../src/codec/writer.ts';
import {
  chainOfHeader,
  decodeFrame,
  decodeJournalHeader,
  encodeFrame,
  encodeJournalHeader,
  entryBytes,
  type JournalEntry,
} from '../../../src/log/journal-format.ts';
import { offset } from '../../../src/model/ids.ts';
import { orders } from './log-world.ts';

const write = (text: string, position = 7): JournalEntry => ({
  kind: 'write',
  topicId: orders,
  partition: 3,
  segmentBase: offset(2 ** 40),
  position,
  chunks: [...text].map((letter) => new TextEncoder().encode(letter)),
  bytes: text.length,
});
const gone: JournalEntry = { kind: 'void', topicId: orders, partition: 4 };

function frames(...contents: (readonly JournalEntry[])[]): Uint8Array {
  const out = new ByteWriter();
  let chain = 5;
  for (const entries of contents) chain = encodeFrame(out, entries, chain);
  return out.toBytes().slice();
}

const textOf = (entry: JournalEntry | undefined): string =>
  entry?.kind === 'write'
    ? entry.chunks.map((bytes) => Buffer.from(bytes).toString()).join('')
    : '';

describe('a frame of the journal', () => {
  it('is read as it was written, each behind the one before', () => {
    const bytes = frames([write('abc'), gone], [write('d', 10)]);
    const first = decodeFrame(bytes, 0, 5);
    expect(first?.entries.map(textOf)).toEqual(['abc', '']);
    expect(first?.entries[0]).toMatchObject({ partition: 3, segmentBase: 2 ** 40, position: 7 });
    expect(first?.entries[1]).toEqual(gone);
    const second = decodeFrame(bytes, first!.end, first!.chain);
    expect(second?.entries.map(textOf)).toEqual(['d']);
    expect(second?.end).toBe(bytes.length);
    expect(decodeFrame(bytes, second!.end, second!.chain)).toBeUndefined();
  });

  it('counts nowhere else, and not with any bit flipped or the last byte missing', () => {
    const bytes = frames([write('abc'), gone]);
    expect(decodeFrame(bytes, 0, 6)).toBeUndefined();
    expect(decodeFrame(bytes.subarray(0, -1), 0, 5)).toBeUndefined();
    for (let at = 0; at < bytes.length; at++) {
      const flipped = bytes.slice();
      flipped[at]! ^= 32;
      expect(decodeFrame(flipped, 0, 5)).toBeUndefined();
    }
  });

  it('takes no more than is said of its entries', () => {
    const entries = [write('abc'), gone];
    const bytes = frames(entries);
    const said = entries.map(entryBytes).reduce((sum, next) => sum + next);
    expect(bytes.length - 8).toBeLessThanOrEqual(said);
  });
});

describe('the header of a part', () => {
  it('is read as it was written, and not with any bit flipped or byte missing', () => {
    const header = { number: 2 ** 33, chainBefore: 0xfedc_ba98 };
    const bytes = encodeJournalHeader(header);
    expect(decodeJournalHeader(bytes)).toEqual(header);
    expect(chainOfHeader(bytes)).toBeGreaterThan(0);
    for (let at = 0; at < bytes.length; at++) {
      const flipped = bytes.slice();
      flipped[at]! ^= 4;
      expect(() => decodeJournalHeader(flipped)).toThrow(CorruptError);
      expect(() => decodeJournalHeader(bytes.subarray(0, at))).toThrow(CorruptError);
    }
  });
});
