import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LineReader, LineTooLongError } from '../../../src/cli/line-reader.ts';

/** All lines of `chunks`, with the number that each had. */
function read(chunks: readonly Uint8Array[], maxLineBytes = 1000): [number, Buffer][] {
  const reader = new LineReader(maxLineBytes);
  const found: [number, Buffer][] = [];
  const take = (line: Uint8Array) => found.push([reader.lineNumber, Buffer.from(line)]);
  for (const chunk of chunks) for (const line of reader.lines(chunk)) take(line);
  const last = reader.end();
  if (last !== undefined) take(last);
  return found;
}

const texts = (...chunks: string[]): string[] =>
  read(chunks.map((chunk) => Buffer.from(chunk))).map(([, line]) => line.toString('latin1'));

test('lines are the same however the bytes are cut into chunks', () => {
  const byte = fc.oneof(fc.constant(0x0a), fc.nat(255));
  fc.assert(
    fc.property(fc.array(byte), fc.array(fc.nat(20)), (bytes, sizes) => {
      const input = Uint8Array.from(bytes);
      const chunks: Uint8Array[] = [];
      let start = 0;
      for (const size of sizes) {
        chunks.push(input.subarray(start, start + size));
        start += size;
      }
      chunks.push(input.subarray(start));
      const parts = Buffer.from(input).toString('latin1').split('\n');
      // Nothing after the last line feed is no line.
      if (parts.at(-1) === '') parts.pop();
      const lines = read(chunks);
      expect(lines.map(([, line]) => line.toString('latin1'))).toEqual(parts);
      expect(lines.map(([number]) => number)).toEqual(parts.map((_, i) => i + 1));
    }),
  );
});

test('an empty input has no line, and an empty line is one', () => {
  expect(texts()).toEqual([]);
  expect(texts('')).toEqual([]);
  expect(texts('\n')).toEqual(['']);
  expect(texts('a\n\nb\n')).toEqual(['a', '', 'b']);
});

test('the last line counts without a line feed', () => {
  expect(texts('a\nb')).toEqual(['a', 'b']);
  expect(texts('a\n', 'b')).toEqual(['a', 'b']);
});

test('a carriage return is part of the line', () => {
  expect(texts('a\r\nb\r\n')).toEqual(['a\r', 'b\r']);
});

test('a line does not change when later chunks are read', () => {
  const reader = new LineReader(100);
  const lines = ['ab', 'cd\n', 'ef', 'gh\n'].flatMap((chunk) => [
    ...reader.lines(Buffer.from(chunk)),
  ]);
  expect(lines.map((line) => Buffer.from(line).toString())).toEqual(['abcd', 'efgh']);
});

test('a line that is too long is named, after the lines before it', () => {
  const reader = new LineReader(4);
  const seen: string[] = [];
  const feed = (chunk: string) => {
    for (const line of reader.lines(Buffer.from(chunk))) seen.push(Buffer.from(line).toString());
  };
  expect(() => feed('1234\n5\n12345\n')).toThrow(new LineTooLongError(3, 4));
  expect(seen).toEqual(['1234', '5']);
});

test('a line that is too long is refused before its end has come', () => {
  const reader = new LineReader(4);
  expect([...reader.lines(Buffer.from('1234'))]).toEqual([]);
  expect(() => [...reader.lines(Buffer.from('5'))]).toThrow('line 1 is longer than 4 bytes');
});
