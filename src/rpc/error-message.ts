import { ApiError, type ErrorRow, Errors, errorByCode } from '../model/errors.ts';
import type { ErrorMessage } from './admin-messages.ts';
import { RpcCode, RpcError, type RpcStatus } from './transport.ts';

/**
 * How outcomes of the error table travel: inside an answer as `varve.v1.Error` (one partition or
 * topic failed), or as the status of a call (all of it failed).
 */

/** @param detail what exactly was wrong; without it the row's own text is used */
export function toErrorMessage(row: ErrorRow, detail?: string): ErrorMessage {
  return {
    code: row.code,
    name: row.name,
    retriable: row.retriable,
    message: detail || row.message,
  };
}

/** An error that this table lacks (of a newer peer) keeps its code, name and advice. */
export function fromErrorMessage(message: ErrorMessage): ApiError {
  const known = errorByCode(message.code);
  const row: ErrorRow =
    known.code === message.code
      ? known
      : {
          code: message.code,
          name: message.name,
          retriable: message.retriable,
          grpc: 'INTERNAL',
          message: message.message,
        };
  return new ApiError(row, message.message || row.message);
}

export function rpcStatusOfRow(row: ErrorRow, detail?: string): RpcStatus {
  return { code: RpcCode[row.grpc], message: detail || row.message, errorCode: row.code };
}

/** Rows for calls that failed before anyone could give them one of ours. */
const rowByRpcCode: ReadonlyMap<RpcCode, ErrorRow> = new Map([
  [RpcCode.OK, Errors.NONE],
  [RpcCode.CANCELLED, Errors.NETWORK_EXCEPTION],
  [RpcCode.UNAVAILABLE, Errors.NETWORK_EXCEPTION],
  [RpcCode.DEADLINE_EXCEEDED, Errors.REQUEST_TIMED_OUT],
  [RpcCode.RESOURCE_EXHAUSTED, Errors.REQUEST_TOO_LARGE],
  [RpcCode.INVALID_ARGUMENT, Errors.INVALID_REQUEST],
  [RpcCode.UNIMPLEMENTED, Errors.UNSUPPORTED_VERSION],
  [RpcCode.PERMISSION_DENIED, Errors.CLUSTER_AUTHORIZATION_FAILED],
  [RpcCode.UNAUTHENTICATED, Errors.CLUSTER_AUTHORIZATION_FAILED],
]);

/** The row that a status carries or, if a library or the network made it, the row nearest to it. */
export function rowOfRpcStatus(status: RpcStatus): ErrorRow {
  if (status.errorCode !== undefined) return errorByCode(status.errorCode);
  return rowByRpcCode.get(status.code) ?? Errors.UNKNOWN_SERVER_ERROR;
}

/**
 * True for what a handler throws in order to answer: an outcome of the table, its own or one that it
 * passes on from a peer. Everything else is a surprise, and its text stays in the house.
 */
export function isOutcome(error: unknown): error is ApiError | RpcError {
  if (error instanceof ApiError) return true;
  return error instanceof RpcError && error.status.errorCode !== undefined;
}

/** The status to answer with when a handler throws. */
export function rpcStatusOf(error: unknown): RpcStatus {
  if (!isOutcome(error)) return rpcStatusOfRow(Errors.UNKNOWN_SERVER_ERROR);
  return error instanceof ApiError ? rpcStatusOfRow(error.row, error.message) : error.status;
}
