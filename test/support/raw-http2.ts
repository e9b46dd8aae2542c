import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** HTTP/2 by hand: frames as no library would send them (RFC 9113, 7541). */
export const Frame = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  push: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;
export const END_STREAM = 1;
export const END_HEADERS = 4;

const PREFACE: Buffer = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const NOTHING: Buffer = Buffer.alloc(0);

export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Uint8Array = NOTHING,
): Buffer {
  const header = Buffer.alloc(9);
  header.writeUIntBE(payload.length, 0, 3);
  header[3] = type;
  header[4] = flags;
  header.writeUInt32BE(stream, 5);
  return Buffer.concat([header, payload]);
}

/** A number of HPACK with a prefix of seven bits. */
function hpackLength(length: number): Buffer {
  if (length < 127) return Buffer.of(length);
  const bytes = [127];
  let rest = length - 127;
  for (; rest >= 128; rest >>>= 7) bytes.push((rest & 127) | 128);
  return Buffer.from([...bytes, rest]);
}

/** Header fields as HPACK literals that no table remembers. */
export function headerBlock(fields: readonly (readonly [string, string])[]): Buffer {
  return Buffer.concat(
    fields.flatMap(([name, value]) => [
      Buffer.of(0),
      ...[name, value].flatMap((text) => {
        const bytes = Buffer.from(text, 'latin1');
        return [hpackLength(bytes.length), bytes];
      }),
    ]),
  );
}

export const callHeaders = (
  path: string,
  ...more: readonly (readonly [string, string])[]
): Buffer =>
  headerBlock([
    [':method', 'POST'],
    [':scheme', 'http'],
    [':path', path],
    [':authority', 'broker'],
    ['content-type', 'application/grpc'],
    ['te', 'trailers'],
    ...more,
  ]);

/** Opens the stream of a call. */
export const openCall = (stream: number, path: string): Buffer =>
  frame(Frame.headers, END_HEADERS, stream, callHeaders(path));

/** A gRPC message in its frame; `length` is what it claims. */
export function grpcMessage(
  content: Uint8Array,
  { compressed = 0, length = content.length } = {},
): Buffer {
  const header = Buffer.alloc(5);
  header[0] = compressed;
  header.writeUInt32BE(length, 1);
  return Buffer.concat([header, content]);
}

/** One connection that sends what it likes and reads only if asked. */
export class RawConnection implements Disposable {
  readonly #socket: Socket;
  readonly #received: Buffer[] = [];

  private constructor(socket: Socket, reads: boolean) {
    this.#socket = socket;
    socket.on('error', () => {});
    if (reads) socket.on('data', (data: Buffer) => this.#received.push(data));
    else socket.pause();
  }

  /** With the preface and empty settings sent. */
  static async open(address: string, options: { reads?: boolean } = {}): Promise<RawConnection> {
    const raw = await RawConnection.openSilent(address, options);
    await raw.send(Buffer.concat([PREFACE, frame(Frame.settings, 0, 0)]));
    return raw;
  }

  static async openSilent(
    address: string,
    { reads = true }: { reads?: boolean } = {},
  ): Promise<RawConnection> {
    const [host, port] = address.split(':') as [string, string];
    const socket = connect(Number(port), host);
    const raw = new RawConnection(socket, reads);
    await Promise.race([once(socket, 'connect'), once(socket, 'close')]);
    return raw;
  }

  get isClosed(): boolean {
    return this.#socket.destroyed || !this.#socket.writable;
  }

  /** What the broker has sent. */
  get received(): Buffer {
    return Buffer.concat(this.#received);
  }

  /** Resolves when the bytes have left, the connection is closed, or nobody takes them for long. */
  async send(bytes: Uint8Array): Promise<void> {
    if (this.isClosed || this.#socket.write(bytes)) return;
    const settled = new AbortController();
    const { signal } = settled;
    const patience = setTimeout(() => settled.abort(), 1000);
    await Promise.race([
      once(this.#socket, 'drain', { signal }).catch(() => {}),
      once(this.#socket, 'close', { signal }).catch(() => {}),
    ]);
    clearTimeout(patience);
    settled.abort();
  }

  /** Sends the same bytes again and again, in pieces of about 64 KiB, until the connection is cut. */
  async flood(times: number, make: (at: number) => Uint8Array): Promise<void> {
    let batch: Uint8Array[] = [];
    let bytes = 0;
    for (let at = 0; at < times && !this.isClosed; at++) {
      const next = make(at);
      batch.push(next);
      bytes += next.length;
      if (bytes < 65_536 && at < times - 1) continue;
      await this.send(Buffer.concat(batch));
      batch = [];
      bytes = 0;
    }
  }

  /** Resolves when the broker has closed the connection. */
  async closed(): Promise<void> {
    this.#socket.resume();
    // Not `once`, which an error would make fail.
    if (!this.#socket.closed) {
      await new Promise((resolve) => this.#socket.once('close', resolve));
    }
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}
