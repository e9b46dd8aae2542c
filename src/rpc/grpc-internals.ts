import type { Server, ServerInterceptingCallInterface } from '@grpc/grpc-js';

/**
 * What grpc-js 1.14 does not offer and we cannot do without, reached through its private fields. Each
 * looks before it touches and answers false where grpc-js has changed; tests then turn red.
 */

/**
 * Bytes that a peer may send on one stream before we have taken them (DESIGN D5). With HTTP/2's
 * 64 KiB a stream carries half as much for twice the CPU.
 */
export const FLOW_CONTROL_WINDOW_BYTES: number = 4 * 1024 * 1024;

interface ServerFields {
  commonServerOptions?: { settings?: object };
  createHttp2Server?: (credentials: unknown) => {
    on(
      event: 'session',
      listener: (session: { setLocalWindowSize(bytes: number): void }) => void,
    ): void;
  };
}

/**
 * Raises the receive window of a server, for each stream and for the connection. Clients have an option for it; servers will with grpc/grpc-node#3058. Call it before binding.
 */
export function raiseServerWindow(server: Server, bytes: number): boolean {
  const fields = server as unknown as ServerFields;
  const options = fields.commonServerOptions;
  const create = fields.createHttp2Server;
  if (options === undefined || create === undefined) return false;
  options.settings = { ...options.settings, initialWindowSize: bytes };
  fields.createHttp2Server = (credentials) => {
    const http2Server = create.call(server, credentials);
    http2Server.on('session', (session) => session.setLocalWindowSize(bytes));
    return http2Server;
  };
  return true;
}

interface CallFields {
  readonly stream?: { close?(code: number): void };
}

const HTTP2_CANCEL = 8;

/**
 * Resets the HTTP/2 stream of a call. A status waits behind the messages before it, so a peer that
 * has stopped reading cannot be got rid of otherwise.
 */
export function resetCall(call: ServerInterceptingCallInterface): boolean {
  const { stream } = call as unknown as CallFields;
  if (stream?.close === undefined) return false;
  stream.close(HTTP2_CANCEL);
  return true;
}
