import { expect, test } from 'vitest';
import { codeOf, outcomeOf, textOf } from '../../../src/kafka/kafka-errors.ts';
import { ApiError, Errors } from '../../../src/model/errors.ts';

test('rows of our own are told as a timeout or as invalid, all others as they are', () => {
  for (const row of Object.values(Errors)) {
    const own = row.retriable ? Errors.REQUEST_TIMED_OUT : Errors.INVALID_REQUEST;
    expect(codeOf(row)).toBe(row.code >= 10_000 ? own.code : row.code);
  }
  expect(codeOf(Errors.BROKER_OVERLOADED)).toBe(7);
  expect(codeOf(Errors.REQUEST_TOO_LARGE)).toBe(42);
});

test('a text is there with an error only, and never longer than a string can be', () => {
  expect(textOf(Errors.NONE, 'fine')).toBeNull();
  expect(textOf(Errors.UNKNOWN_TOPIC_OR_PARTITION)).toBe(Errors.UNKNOWN_TOPIC_OR_PARTITION.message);
  const text = textOf(Errors.INVALID_REQUEST, 'ü'.repeat(100_000));
  expect(Buffer.byteLength(text!)).toBeLessThan(32_768);
});

test('what a use case refused is an outcome, all else is thrown on', () => {
  const refused = new ApiError(Errors.INVALID_REQUEST, 'why');
  expect(outcomeOf(refused)).toEqual({ row: Errors.INVALID_REQUEST, detail: refused.message });
  const unexpected = new Error('what is this');
  expect(() => outcomeOf(unexpected)).toThrow(unexpected);
});
