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

/** What a client received, or grpc-js made up when nothing came; then in plain words, with its own as the cause. */
export function fromGrpcStatus(status: StatusObject): RpcStatus {
  const code = Object.values<number>(RpcCode).includes(status.code)
    ? (status.code as RpcCode)
    : RpcCode.UNKNOWN;
  const { details } = status;
  const text = String(status.metadata.get(CODE_TRAILER)[0] ?? '');
  if (/^-?\d{1,9}$/.test(text)) return { code, message: details, errorCode: Number(text) };
  for (const { pattern, say, neverSent } of plainReasons) {
    const found = pattern.exec(details);
    if (found === null) continue;
    const cause = status instanceof Error ? status : new Error(details);
    return { code, message: say(found), cause, ...(neverSent ? { neverSent } : {}) };
  }
  return { code, message: details };
}

/** How grpc-js tells of connections that fail, what is worth telling of it, and whether it is certain that the call did not leave. */
const plainReasons: readonly {
  readonly pattern: RegExp;
  say(found: RegExpExecArray): string;
  readonly neverSent: boolean;
}[] = [
  {
    pattern: /^No connection established\. Last error: (.*)\. Resolution note:.*$/s,
    say: ([, reason]) => plainConnectError(reason!),
    neverSent: true,
  },
  {
    pattern: /^Name resolution failed for target dns:/,
    say: () => 'the name of the host cannot be resolved',
    neverSent: true,
  },
  {
    // Only a call that has a connection knows the address of its peer.
    pattern: /^Deadline exceeded after ([\d.]+)s.*remote_addr=/s,
    say: ([, time]) => `no answer within ${time} s`,
    neverSent: false,
  },
  {
    pattern: /^Deadline exceeded after ([\d.]+)s/,
    say: ([, time]) => `no connection within ${time} s`,
    neverSent: true,
  },
  {
    pattern: /^Connection dropped$/,
    say: () => 'the connection was lost',
    neverSent: false,
  },
];

/** What stood in the way of a connection: `connect ECONNREFUSED 127.0.0.1:9095`. */
function plainConnectError(reason: string): string {
  if (reason.startsWith('Failed to connect')) return 'the peer closed the connection at once';
  if (reason.startsWith('Protocol error')) return 'the peer does not speak HTTP/2';
  const ssl = /:SSL routines:[^:]*:([^:]+)/.exec(reason);
  return ssl === null ? reason.replace(/^Error: /, '') : `TLS failed: ${ssl[1]}`;
}
