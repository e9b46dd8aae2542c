import { expect, test } from 'vitest';
import { ApiError, Errors, errorByCode } from '../../../src/model/errors.ts';

test('no two rows share a code', () => {
  const codes = Object.values(Errors).map((row) => row.code);
  expect(new Set(codes).size).toBe(codes.length);
});

test('a row is found by its code, and knows its own name', () => {
  for (const [name, row] of Object.entries(Errors)) {
    expect(errorByCode(row.code)).toBe(row);
    expect(row.name).toBe(name);
  }
});

test('a code that the table lacks is an unknown server error', () => {
  expect(errorByCode(9_999)).toBe(Errors.UNKNOWN_SERVER_ERROR);
});

test('codes below 10000 are Kafka’s', () => {
  // A sample of Kafka's Errors.java, so that a slip of a digit is seen.
  const sample = {
    OFFSET_OUT_OF_RANGE: 1,
    NOT_LEADER_OR_FOLLOWER: 6,
    MESSAGE_TOO_LARGE: 10,
    TOPIC_ALREADY_EXISTS: 36,
    OUT_OF_ORDER_SEQUENCE_NUMBER: 45,
    INVALID_PRODUCER_EPOCH: 47,
    KAFKA_STORAGE_ERROR: 56,
    FENCED_LEADER_EPOCH: 74,
    UNKNOWN_LEADER_EPOCH: 75,
    INVALID_RECORD: 87,
    UNKNOWN_TOPIC_ID: 100,
    INCONSISTENT_TOPIC_ID: 103,
  } as const;
  for (const [name, code] of Object.entries(sample)) {
    expect(Errors[name as keyof typeof sample].code).toBe(code);
  }
});

test('an ApiError says the detail, or else what its row says', () => {
  expect(new ApiError(Errors.INVALID_REQUEST, 'x is 3').message).toBe('x is 3');
  expect(new ApiError(Errors.INVALID_REQUEST).message).toBe(Errors.INVALID_REQUEST.message);
});
