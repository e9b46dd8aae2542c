import { describe, expect, test } from 'vitest';
import { CorruptError } from '../../../src/codec/reader.ts';
import { ApiError, Errors } from '../../../src/model/errors.ts';
import {
  fromErrorMessage,
  isOutcome,
  rowOfRpcStatus,
  rpcStatusOf,
  rpcStatusOfRow,
  toErrorMessage,
} from '../../../src/rpc/error-message.ts';
import { RpcCode, RpcError } from '../../../src/rpc/transport.ts';

describe('an error inside an answer', () => {
  test('carries the row and what exactly was wrong', () => {
    expect(toErrorMessage(Errors.INVALID_PARTITIONS, '0 partitions')).toEqual({
      code: 37,
      name: 'INVALID_PARTITIONS',
      retriable: false,
      message: '0 partitions',
    });
    expect(toErrorMessage(Errors.INVALID_PARTITIONS).message).toBe(
      Errors.INVALID_PARTITIONS.message,
    );
  });

  test('comes back as the same row, for every row', () => {
    for (const row of Object.values(Errors)) {
      const error = fromErrorMessage(toErrorMessage(row, 'detail'));
      expect(error.row).toBe(row);
      expect(error.message).toBe('detail');
    }
  });

  test('of a newer peer keeps its code, name and advice', () => {
    const message = { code: 12_345, name: 'BRAND_NEW', retriable: true, message: 'try later' };
    const { row } = fromErrorMessage(message);
    expect(row).toMatchObject({ code: 12_345, name: 'BRAND_NEW', retriable: true });
    expect(toErrorMessage(row, 'try later')).toEqual(message);
  });
});

describe('the status of a call', () => {
  test('of a row is its gRPC code, with the code of the row', () => {
    expect(rpcStatusOfRow(Errors.NOT_CONTROLLER, 'ask 3')).toEqual({
      code: RpcCode.UNAVAILABLE,
      message: 'ask 3',
      errorCode: 41,
    });
  });

  test('is made from an outcome that a handler throws', () => {
    const error = new ApiError(Errors.TOPIC_ALREADY_EXISTS, 'orders');
    expect(rpcStatusOf(error)).toEqual({
      code: RpcCode.ALREADY_EXISTS,
      message: 'orders',
      errorCode: 36,
    });
  });

  test('passes on the outcome of another peer', () => {
    const status = { code: RpcCode.NOT_FOUND, message: 'orders', errorCode: 3 } as const;
    expect(rpcStatusOf(new RpcError(status))).toEqual(status);
  });

  test.each([
    new Error('secret'),
    new CorruptError('a batch on the disk'),
    new RpcError({ code: RpcCode.UNAVAILABLE, message: 'connect ECONNREFUSED 10.1.2.3:9093' }),
    'text',
    undefined,
  ])('of a surprise says nothing about it: %s', (error) => {
    expect(isOutcome(error)).toBe(false);
    expect(rpcStatusOf(error)).toEqual({
      code: RpcCode.INTERNAL,
      message: Errors.UNKNOWN_SERVER_ERROR.message,
      errorCode: -1,
    });
  });

  test('leads back to the row', () => {
    for (const row of Object.values(Errors)) expect(rowOfRpcStatus(rpcStatusOfRow(row))).toBe(row);
  });

  test.each([
    [RpcCode.UNAVAILABLE, Errors.NETWORK_EXCEPTION],
    [RpcCode.CANCELLED, Errors.NETWORK_EXCEPTION],
    [RpcCode.DEADLINE_EXCEEDED, Errors.REQUEST_TIMED_OUT],
    [RpcCode.RESOURCE_EXHAUSTED, Errors.REQUEST_TOO_LARGE],
    [RpcCode.UNIMPLEMENTED, Errors.UNSUPPORTED_VERSION],
    [RpcCode.DATA_LOSS, Errors.UNKNOWN_SERVER_ERROR],
  ])('%i that nobody gave a row leads to the nearest one', (code, row) => {
    expect(rowOfRpcStatus({ code, message: '' })).toBe(row);
  });
});
