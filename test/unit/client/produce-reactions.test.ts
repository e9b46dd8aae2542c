import { expect, test } from 'vitest';
import { mayHaveStored, reactionTo } from '../../../src/client/produce-reactions.ts';
import { Errors } from '../../../src/model/errors.ts';
import { toErrorMessage } from '../../../src/rpc/error-message.ts';

test.each([
  ['NOT_LEADER_OR_FOLLOWER', 'refresh'],
  ['NOT_ENOUGH_REPLICAS', 'retry'],
  ['REQUEST_TIMED_OUT', 'retry'],
  ['BROKER_OVERLOADED', 'retry'],
  ['OUT_OF_ORDER_SEQUENCE_NUMBER', 'sequence'],
  ['MESSAGE_TOO_LARGE', 'split'],
  ['DUPLICATE_SEQUENCE_NUMBER', 'stored'],
  ['INVALID_TIMESTAMP', 'fail'],
  ['TOPIC_AUTHORIZATION_FAILED', 'fail'],
] as const)('the reaction to %s is %s', (name, reaction) => {
  expect(reactionTo(toErrorMessage(Errors[name]))).toBe(reaction);
});

test('what this version does not know goes by what the broker says, and may have stored', () => {
  const unknown = { code: 4711, name: 'X', message: '' };
  expect(reactionTo({ ...unknown, retriable: true })).toBe('retry');
  expect(reactionTo({ ...unknown, retriable: false })).toBe('fail');
  expect(mayHaveStored({ ...unknown, retriable: false })).toBe(true);
});

test.each([
  ['NOT_LEADER_OR_FOLLOWER', true],
  ['REQUEST_TIMED_OUT', true],
  ['NOT_ENOUGH_REPLICAS_AFTER_APPEND', true],
  ['KAFKA_STORAGE_ERROR', true],
  ['UNKNOWN_SERVER_ERROR', true],
  ['NOT_ENOUGH_REPLICAS', false],
  ['UNKNOWN_TOPIC_OR_PARTITION', false],
  ['OUT_OF_ORDER_SEQUENCE_NUMBER', false],
  ['MESSAGE_TOO_LARGE', false],
] as const)('after %s a batch may be stored: %s', (name, expected) => {
  expect(mayHaveStored(toErrorMessage(Errors[name]))).toBe(expected);
});
