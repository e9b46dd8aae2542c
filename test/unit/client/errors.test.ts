import { expect, test } from 'vitest';
import {
  errorOfCall,
  errorOfMessage,
  errorOfStatus,
  VarveError,
  VarveErrorCode,
} from '../../../src/client/errors.ts';
import { Errors } from '../../../src/model/errors.ts';
import { toErrorMessage } from '../../../src/rpc/error-message.ts';
import { RpcCode, RpcError } from '../../../src/rpc/transport.ts';

test('the codes are those of the table and those of the client, each equal to its name', () => {
  expect(VarveErrorCode.NOT_LEADER_OR_FOLLOWER).toBe('NOT_LEADER_OR_FOLLOWER');
  expect(VarveErrorCode.OUTCOME_UNKNOWN).toBe('OUTCOME_UNKNOWN');
  expect(Object.entries(VarveErrorCode).filter(([name, code]) => name !== code)).toEqual([]);
});

test('an error of a broker keeps its code, its advice and its text, and names its subject', () => {
  const message = toErrorMessage(Errors.NOT_ENOUGH_REPLICAS, '1 of 2 are in sync');
  const error = errorOfMessage(message, 'orders-3');
  expect(error).toMatchObject({
    code: 'NOT_ENOUGH_REPLICAS',
    retriable: true,
    message: 'orders-3: 1 of 2 are in sync',
  });
});

test('an error that only a newer broker knows keeps its name and advice', () => {
  const message = { code: 4711, name: 'QUANTUM_FLUX', retriable: true, message: 'wait' };
  expect(errorOfMessage(message, 'x')).toMatchObject({ code: 'QUANTUM_FLUX', retriable: true });
});

test('errors are recognised across copies of the package, and others are not', () => {
  const foreign = Object.defineProperty(new Error('x'), Symbol.for('varve.VarveError'), {
    value: true,
  });
  expect(VarveError.is(new VarveError('CLOSED', 'x'))).toBe(true);
  expect(VarveError.is(foreign)).toBe(true);
  expect(VarveError.is(new Error('x'))).toBe(false);
  expect(VarveError.is(null)).toBe(false);
});

test('a stream that ended well was still lost to who needs it', () => {
  const error = errorOfStatus({ code: RpcCode.OK, message: '' }, 'stream to broker 1');
  expect(error).toMatchObject({ code: 'NETWORK_EXCEPTION', retriable: true });
});

test('an error of a stream keeps what the transport was told as its cause', () => {
  const cause = new Error('14 UNAVAILABLE: No connection established.');
  const status = {
    code: RpcCode.UNAVAILABLE,
    message: 'connect ECONNREFUSED 127.0.0.1:9095',
    cause,
  };
  const error = errorOfStatus(status, 'stream to broker 1 at localhost:9095');
  expect(error.message).toBe(
    'stream to broker 1 at localhost:9095: connect ECONNREFUSED 127.0.0.1:9095',
  );
  expect(error.cause).toBe(cause);
});

test('a failed call becomes an error with its cause, and anything else stays what it is', () => {
  const cause = new RpcError({ code: RpcCode.UNAVAILABLE, message: 'refused' });
  const error = errorOfCall(cause, 'ListTopics at a:1') as VarveError;
  expect(error).toMatchObject({ code: 'NETWORK_EXCEPTION', message: 'ListTopics at a:1: refused' });
  expect(error.cause).toBe(cause);
  const reason = new Error('given up');
  expect(errorOfCall(reason, 'x')).toBe(reason);
});
