import { once } from 'node:events';
import { connect } from 'node:net';

/** Requests of versions without tagged fields, built by hand: a judge that is none of the clients. */
export const int8 = (value: number): Buffer => Buffer.from([value & 255]);
export const int16 = (value: number): Buffer => Buffer.from([(value >> 8) & 255, value & 255]);
export const int32 = (value: number): Buffer =>
  Buffer.concat([int16(value >> 16), int16(value & 65_535)]);
export const text = (value: string): Buffer =>
  Buffer.concat([int16(Buffer.byteLength(value)), Buffer.from(value)]);

/** Sends one request on a connection of its own; returns the answer behind its correlation id. */
export async function ask(
  server: string,
  apiKey: number,
  version: number,
  body: readonly Buffer[],
): Promise<Buffer> {
  const header = [int16(apiKey), int16(version), int32(1), text('conformance')];
  const frame = Buffer.concat([...header, ...body]);
  const [host, port] = [server.replace(/:\d+$/, ''), Number(/\d+$/.exec(server)?.[0])];
  const socket = connect({ host, port, timeout: TIMEOUT_MS });
  socket.once('timeout', () => socket.destroy(new Error(`no answer from ${server}`)));
  try {
    await once(socket, 'connect');
    socket.write(Buffer.concat([int32(frame.length), frame]));
    let received = Buffer.alloc(0);
    for await (const chunk of socket) {
      received = Buffer.concat([received, chunk]);
      if (received.length >= 8 && received.length >= 4 + received.readInt32BE(0)) {
        return received.subarray(8);
      }
    }
    throw new Error(`${server} closed the connection`);
  } finally {
    socket.destroy();
  }
}

const TIMEOUT_MS = 10_000;
