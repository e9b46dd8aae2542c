import type { Http2Server, ServerHttp2Stream, ServerOptions } from 'node:http2';
import type { Server, ServerInterceptingCallInterface } from '@grpc/grpc-js';
import { totalLength } from '../codec/pieces.ts';
import { joined, toBuffer } from './plain-bytes.ts';

/**
 * What grpc-js 1.14 does not offer and we cannot do without, reached through its private fields. Each
 * looks before it touches and answers false where grpc-js has changed; tests then turn red.
 */

/**
 * Bytes that a client may send on one stream before they are taken (DESIGN D5). On a stream that is not
 * read they wait in our memory, before anybody has looked at them. Two MiB carry as much as four, for the
 * same CPU; one costs a tenth more of it, half of one a fifth, HTTP/2's 64 KiB twice as much.
 */
export const RECEIVE_WINDOW_BYTES: number = 2 * 1024 * 1024;

/** The `http2.Server` that grpc-js makes for an address. */
export type SocketServer = Pick<Http2Server, 'on' | 'prependListener'>;

interface ServerFields {
  commonServerOptions?: ServerOptions & { handshakeTimeout?: number };
  createHttp2Server?: (credentials: unknown) => SocketServer;
}

/**
 * What one connection may do to Node's HTTP/2 before it is cut: honest peers come nowhere near. (Resets
 * in a row, 1000 and then 33 a second, and unanswered acknowledgements are bounded by Node itself.)
 */
const PROTOCOL_LIMITS: ServerOptions = {
  maxSettings: 32,
  maxHeaderListPairs: 128,
  maxOutstandingPings: 10,
  maxSessionInvalidFrames: 100,
  maxSessionRejectedStreams: 100,
};
/** All header fields of a call together. */
const MAX_HEADER_BYTES = 16 * 1024;

/**
 * Sets what grpc-js has no options for: the receive window, for each stream and for the connection
 * (clients have an option for it; servers will with grpc/grpc-node#3058), and the limits of HTTP/2.
 * `onServer` gets each server before it listens. Call it before binding.
 */
export function setUpSessions(
  server: Server,
  handshakeTimeoutMs: number,
  onServer: (server: SocketServer) => void,
): boolean {
  const fields = server as unknown as ServerFields;
  const options = fields.commonServerOptions;
  const create = fields.createHttp2Server;
  if (options === undefined || create === undefined) return false;
  Object.assign(options, PROTOCOL_LIMITS, {
    handshakeTimeout: handshakeTimeoutMs,
    unknownProtocolTimeout: handshakeTimeoutMs,
  });
  options.settings = {
    ...options.settings,
    initialWindowSize: RECEIVE_WINDOW_BYTES,
    maxHeaderListSize: MAX_HEADER_BYTES,
  };
  fields.createHttp2Server = (credentials) => {
    const http2Server = create.call(server, credentials);
    http2Server.on('session', (session) => session.setLocalWindowSize(RECEIVE_WINDOW_BYTES));
    onServer(http2Server);
    return http2Server;
  };
  return true;
}

interface CallFields {
  decoder?: { write?(data: Buffer): Buffer[] };
  readonly stream?: ServerHttp2Stream;
  checkCancelled?(): boolean;
  maybeSendMetadata?(): void;
}

const HTTP2_CANCEL = 8;

/** Lets `intake` put together the messages of a call. Call it before anything is read. */
export function replaceDecoder(
  call: ServerInterceptingCallInterface,
  intake: { write(data: Buffer): Buffer[] },
): boolean {
  const fields = call as unknown as CallFields;
  if (fields.decoder?.write === undefined) return false;
  fields.decoder = intake;
  return true;
}

/** Shorter messages are put together: that costs less than a second buffer. */
const SMALL_MESSAGE_BYTES = 4096;

/**
 * Sends a message that lies in pieces and copies none of them; grpc-js would copy it behind its frame.
 * `sent` is called when the socket has taken it all, and never if the stream ends before.
 */
export function sendMessage(
  call: ServerInterceptingCallInterface,
  pieces: readonly Uint8Array[],
  sent: () => void,
): boolean {
  const { stream, checkCancelled, maybeSendMetadata } = call as unknown as CallFields;
  const isKnown = stream?.cork !== undefined && checkCancelled !== undefined;
  if (!isKnown || maybeSendMetadata === undefined) {
    call.sendMessage?.(joined(pieces), sent);
    return false;
  }
  if (checkCancelled.call(call)) return true;
  maybeSendMetadata.call(call);
  const frame = frameOf(pieces);
  const framed = [frame, ...pieces.map(toBuffer)];
  const buffers = frame.readUInt32BE(1) < SMALL_MESSAGE_BYTES ? [Buffer.concat(framed)] : framed;
  const last = buffers.pop()!;
  // Corked, all of them go to the socket in one call.
  stream.cork();
  for (const buffer of buffers) stream.write(buffer);
  stream.write(last, (error) => {
    if (!error) sent();
  });
  stream.uncork();
  return true;
}

/** What gRPC writes before a message: that it is not compressed, and its length. */
function frameOf(pieces: readonly Uint8Array[]): Buffer {
  const frame = Buffer.alloc(5);
  frame.writeUInt32BE(totalLength(pieces), 1);
  return frame;
}

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
