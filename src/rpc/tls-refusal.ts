import type { TLSSocket } from 'node:tls';

/** What a TLS server is told of a handshake that failed (`tlsClientError`). */
export interface TlsError extends Error {
  /** In the words of OpenSSL. */
  readonly reason?: string;
}

/** Why a handshake was refused, for the log; `undefined` if the client only hung up. */
export function tlsRefusal(error: TlsError, socket: TLSSocket): string | undefined {
  const reason = socket.authorizationError ?? error.reason;
  return reason ? String(reason) : undefined;
}
