import { expect, test } from 'vitest';
import { CommandError, exitCodeOf, Interrupted } from '../../../src/cli/exit-code.ts';
import { VarveError } from '../../../src/client/errors.ts';
import { FileError } from '../../../src/env/ports.ts';

test.each([
  ['UNKNOWN_TOPIC_OR_PARTITION', 3],
  ['UNKNOWN_TOPIC_ID', 3],
  ['INVALID_CONFIG', 4],
  ['INVALID_REPLICATION_FACTOR', 4],
  ['MESSAGE_TOO_LARGE', 4],
  ['OFFSET_OUT_OF_RANGE', 4],
  ['TOPIC_AUTHORIZATION_FAILED', 4],
  ['REQUEST_TIMED_OUT', 5],
  ['DELIVERY_TIMEOUT', 5],
  ['BUFFER_FULL', 5],
  ['OUTCOME_UNKNOWN', 5],
  ['TOPIC_ALREADY_EXISTS', 6],
  ['INVALID_ARGUMENT', 2],
  ['NOT_LEADER_OR_FOLLOWER', 1],
  ['NETWORK_EXCEPTION', 1],
  ['KAFKA_STORAGE_ERROR', 1],
  ['A_CODE_OF_A_NEWER_BROKER', 1],
])('%s of the client ends the command with %i', (code, exitCode) => {
  expect(exitCodeOf(new VarveError(code, 'text'))).toBe(exitCode);
});

test('an error of a command carries its own code', () => {
  expect(exitCodeOf(new CommandError(78, 'text'))).toBe(78);
});

test('a signal gives what a shell would report', () => {
  expect(exitCodeOf(new Interrupted('SIGINT'))).toBe(130);
  expect(exitCodeOf(new Interrupted('SIGTERM'))).toBe(143);
});

test('anything else is a failure', () => {
  expect(exitCodeOf(new Error('text'))).toBe(1);
  expect(exitCodeOf(new FileError('ENOENT', 'a', 'open'))).toBe(1);
  expect(exitCodeOf(new VarveError('toString', 'text'))).toBe(1);
  expect(exitCodeOf('text')).toBe(1);
});
