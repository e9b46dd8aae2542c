import { Metadata, type StatusObject } from '@grpc/grpc-js';
import { errorByCode } from '../model/errors.ts';
import { RpcCode, type RpcStatus } from './transport.ts';

/**
 * How `RpcStatus` stands in gRPC's trailers: `grpc-status` and `grpc-message` as everywhere, and for
 * outcomes of ours
 *
 *     varve-error-code       number of the row, such as 3
 *     varve-error-name       UNKNOWN_TOPIC_OR_PARTITION
 *     varve-error-retriable  true or false
 */
const CODE_TRAILER = 'varve-error-code';
const NAME_TRAILER = 'varve-error-name';
const RETRIABLE_TRAILER = 'varve-error-retriable';

/** Peers limit the size of all trailers, often to 8 KiB, and a character can take nine bytes. */
const MESSAGE_CHARACTERS = 512;

/** For a server to send. */
export function toGrpcStatus(status: RpcStatus): StatusObject {
  const metadata = new Metadata();
  if (status.errorCode !== undefined) {
    const row = errorByCode(status.errorCode);
    metadata.set(CODE_TRAILER, String(status.errorCode));
    metadata.set(NAME_TRAILER, row.name);
    metadata.set(RETRIABLE_TRAILER, String(row.retriable));
  }
  // Half a surrogate pair, also one cut here, would make the percent-encoding throw.
  const details = status.message.slice(0, MESSAGE_CHARACTERS).toWellFormed();
  return { code: status.code, details, metadata };
}

/** What a client received, or grpc-js made up when nothing came. */
export function fromGrpcStatus(status: StatusObject): RpcStatus {
  const code = Object.values<number>(RpcCode).includes(status.code)
    ? (status.code as RpcCode)
    : RpcCode.UNKNOWN;
  const text = String(status.metadata.get(CODE_TRAILER)[0] ?? '');
  if (!/^-?\d{1,9}$/.test(text)) return { code, message: status.details };
  return { code, message: status.details, errorCode: Number(text) };
}
