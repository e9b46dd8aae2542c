import * as v from 'valibot';
import { expect, test } from 'vitest';
import { decoderOf, encoderOf, serializationError } from '../../../src/client/serializer.ts';

const utf8 = (text: string) => new TextEncoder().encode(text);
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

test('bytes pass as they are, and a string is taken as UTF-8', () => {
  const bytes = new Uint8Array([1, 2]);
  expect(encoderOf('bytes', 'value')(bytes)).toBe(bytes);
  expect(decoderOf('bytes', 'value')(bytes)).toBe(bytes);
  expect(text(encoderOf('bytes', 'value')('né'))).toBe('né');
});

test('strings and JSON come back as they went', () => {
  expect(decoderOf('string', 'key')(encoderOf('string', 'key')('né\u{1f600}'))).toBe('né\u{1f600}');
  const value = { a: [1, null, 'x'] };
  expect(decoderOf('json', 'value')(encoderOf('json', 'value')(value))).toEqual(value);
});

test('a byte order mark is part of a string', () => {
  expect(decoderOf('string', 'value')(utf8('\u{feff}x'))).toBe('\u{feff}x');
});

test('a value of the wrong type is refused with what is right', () => {
  expect(() => encoderOf('string', 'key')(7)).toThrow(
    'the key is of type number and must be a string',
  );
  expect(() => encoderOf('bytes', 'value')({})).toThrow('a Uint8Array or a string');
  expect(() => encoderOf('json', 'value')(undefined)).toThrow('something that JSON can express');
});

test('functions of the program are used as they are', () => {
  const shout = {
    serialize: (value: unknown) => utf8(String(value).toUpperCase()),
    deserialize: (bytes: Uint8Array) => text(bytes).toLowerCase(),
  };
  expect(text(encoderOf(shout, 'value')('abc'))).toBe('ABC');
  expect(decoderOf(shout, 'value')(utf8('ABC'))).toBe('abc');
});

test('a schema sends its input as JSON and reads its output', () => {
  const schema = v.object({ n: v.pipe(v.string(), v.transform(Number)) });
  expect(text(encoderOf(schema, 'value')({ n: '7' }))).toBe('{"n":"7"}');
  expect(decoderOf(schema, 'value')(utf8('{"n":"7"}'))).toEqual({ n: 7 });
});

test('a schema names each place that it refuses', () => {
  const schema = v.object({ a: v.object({ b: v.number() }) });
  expect(() => encoderOf(schema, 'value')({ a: { b: 'x' } })).toThrow('the value: a.b: ');
  expect(() => decoderOf(schema, 'value')(utf8('{"a":{}}'))).toThrow('a.b: ');
});

test('a schema that checks asynchronously is awaited when reading and refused when sending', async () => {
  const schema = v.pipeAsync(
    v.number(),
    v.checkAsync(async (n) => n > 0, 'too small'),
  );
  expect(() => encoderOf(schema, 'value')(1)).toThrow('checks asynchronously');
  await expect(decoderOf(schema, 'value')(utf8('1'))).resolves.toBe(1);
  await expect(decoderOf(schema, 'value')(utf8('-1'))).rejects.toThrow('too small');
});

test('a schema that is a function is a schema', () => {
  const schema = Object.assign(() => {}, {
    '~standard': { version: 1, vendor: 'x', validate: (value: unknown) => ({ value }) } as const,
  });
  expect(text(encoderOf(schema, 'value')([1]))).toBe('[1]');
});

test('what is none of these is refused when the producer or consumer is made', () => {
  expect(() => encoderOf('yaml' as never, 'value')).toThrow("option `value` must be 'bytes'");
  expect(() => decoderOf({} as never, 'key')).toThrow('option `key` must be');
});

test('what a serializer throws becomes the cause', () => {
  const cause = new Error('boom');
  const error = serializationError(cause, 'cannot write the key');
  expect(error).toMatchObject({
    code: 'SERIALIZATION_FAILED',
    message: 'cannot write the key: boom',
  });
  expect(error.cause).toBe(cause);
});
