import { expect, test } from 'vitest';
import { ByteReader, CorruptError } from '../../../src/codec/reader.ts';
import { FrameWriter } from '../../../src/kafka/frame-writer.ts';
import {
  readClientId,
  readRequestHeader,
  writeResponseHeader,
} from '../../../src/kafka/request-header.ts';

const readerOf = (hex: string) => new ByteReader(new Uint8Array(Buffer.from(hex, 'hex')));

test('a request begins with its API, version and correlation id', () => {
  const reader = readerOf('0012' + '0003' + 'fffffffe');
  expect(readRequestHeader(reader)).toEqual({ apiKey: 18, apiVersion: 3, correlationId: -2 });
  expect(() => readRequestHeader(readerOf('00120003ffffff'))).toThrow(CorruptError);
});

test('the length of a client id is an int16 also in flexible versions', () => {
  const plain = readerOf('00026d65' + 'aa');
  expect([readClientId(plain, false), plain.remaining]).toEqual(['me', 1]);
  const flexible = readerOf('00026d65' + '010002abcd' + 'aa');
  expect([readClientId(flexible, true), flexible.remaining]).toEqual(['me', 1]);
  expect(readClientId(readerOf('ffff'), false)).toBe('');
  // "é" in Latin-1.
  expect(readClientId(readerOf('00026de9'), false)).toBe('m\ufffd');
  expect(() => readClientId(readerOf('fffe'), false)).toThrow(CorruptError);
});

test('an answer begins with the correlation id', () => {
  const headerOf = (isFlexible: boolean) => {
    const writer = new FrameWriter();
    writeResponseHeader(writer, -2, isFlexible);
    return Buffer.concat(writer.finish()).toString('hex');
  };
  expect(headerOf(false)).toBe('00000004' + 'fffffffe');
  expect(headerOf(true)).toBe('00000005' + 'fffffffe' + '00');
});
