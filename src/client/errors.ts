import { type ErrorName, type ErrorRow, Errors } from '../model/errors.ts';
import type { ErrorMessage } from '../rpc/admin-messages.ts';
import { fromErrorMessage, rowOfRpcStatus } from '../rpc/error-message.ts';
import { RpcError, type RpcStatus } from '../rpc/transport.ts';

/** Codes of errors that no broker answers: the client itself makes them. */
const clientCodes = {
  /** The client, producer or consumer was closed. */
  CLOSED: 'CLOSED',
  /** An argument or option is wrong; the message says which and what would be right. */
  INVALID_ARGUMENT: 'INVALID_ARGUMENT',
  /** The buffer of the producer did not empty in time. The record was not sent. */
  BUFFER_FULL: 'BUFFER_FULL',
  /** The record could not be delivered in time. It is certain that it is not stored. */
  DELIVERY_TIMEOUT: 'DELIVERY_TIMEOUT',
  /** Nobody can say whether the record is stored: sending it again may store it twice. */
  OUTCOME_UNKNOWN: 'OUTCOME_UNKNOWN',
  /** A key or value could not be turned into bytes or back, or its schema refuses it. */
  SERIALIZATION_FAILED: 'SERIALIZATION_FAILED',
} as const;

type ClientErrorCode = keyof typeof clientCodes;

/** All codes that this version knows; a newer broker may answer with others. */
export type KnownErrorCode = ErrorName | ClientErrorCode;

/** The codes as constants: `error.code === VarveErrorCode.UNKNOWN_TOPIC_OR_PARTITION`. */
export const VarveErrorCode: { readonly [code in KnownErrorCode]: code } = Object.freeze({
  ...(Object.fromEntries(Object.keys(Errors).map((name) => [name, name])) as {
    [name in ErrorName]: name;
  }),
  ...clientCodes,
});

/** The same in every copy of the package that a program has loaded. */
const brand = Symbol.for('varve.VarveError');

export interface VarveErrorOptions extends ErrorOptions {
  /** False unless given. */
  readonly retriable?: boolean;
  /** Which record could not be read, so that it can be passed over by `seek`. */
  readonly record?: FailedRecord;
}

/** The place of a record that could not be read. */
export interface FailedRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/** Every error of this library. `code` says what happened, the message what to do. */
export class VarveError extends Error {
  /** True for errors of this class, also of another copy of the package. */
  static is(value: unknown): value is VarveError {
    return typeof value === 'object' && value !== null && brand in value;
  }

  override readonly name = 'VarveError';
  readonly code: KnownErrorCode | (string & {});
  /** True if the same call can succeed later. The client has retried already as long as it may. */
  readonly retriable: boolean;
  /** Set if one record could not be read. */
  readonly record: FailedRecord | undefined;

  constructor(code: KnownErrorCode | (string & {}), message: string, options?: VarveErrorOptions) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retriable = options?.retriable ?? false;
    this.record = options?.record;
    Object.defineProperty(this, brand, { value: true });
  }
}

/** @param subject what failed, such as `orders-3`; stands before the text of the broker */
export function errorOfMessage(message: ErrorMessage, subject: string): VarveError {
  const { row, message: text } = fromErrorMessage(message);
  return errorOfRow(row, `${subject}: ${text}`);
}

export function errorOfRow(row: ErrorRow, message: string, options?: ErrorOptions): VarveError {
  return new VarveError(row.name, message, { ...options, retriable: row.retriable });
}

/** An error of a stream that ended; with OK too, since who asks was not done. */
export function errorOfStatus(status: RpcStatus, subject: string): VarveError {
  const row = rowOfRpcStatus(status);
  const { cause } = status;
  if (row !== Errors.NONE) return errorOfRow(row, `${subject}: ${status.message}`, { cause });
  return errorOfRow(Errors.NETWORK_EXCEPTION, `${subject}: the broker ended it`);
}

/** What a call threw, as an error of ours; the reason of an abort stays what it is. */
export function errorOfCall(error: unknown, subject: string): unknown {
  if (!(error instanceof RpcError)) return error;
  return new VarveError(rowOfRpcStatus(error.status).name, `${subject}: ${error.message}`, {
    cause: error,
    retriable: rowOfRpcStatus(error.status).retriable,
  });
}

export const closedError = (what: string): VarveError =>
  new VarveError('CLOSED', `the ${what} is closed`);

export const argumentError = (message: string): VarveError =>
  new VarveError('INVALID_ARGUMENT', message);
