import type { Socket } from 'node:net';

/** The client's end of a socket, frame by frame. */
export class RawKafkaClient {
  readonly socket: Socket;
  readonly #chunks: Buffer[] = [];
  #wake: () => void = () => {};
  isClosed = false;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#wake();
    });
    socket.on('close', () => {
      this.isClosed = true;
      this.#wake();
    });
  }

  /** Sends bytes, and waits for the next frame; null if the connection closes instead. */
  async ask(bytes: Uint8Array): Promise<Buffer | null> {
    this.socket.write(bytes);
    return await this.next();
  }

  async next(): Promise<Buffer | null> {
    for (;;) {
      const bytes = Buffer.concat(this.#chunks);
      const end = bytes.length < 4 ? Number.POSITIVE_INFINITY : 4 + bytes.readInt32BE(0);
      if (bytes.length >= end) {
        this.#chunks.splice(0, this.#chunks.length, bytes.subarray(end));
        return bytes.subarray(0, end);
      }
      if (this.isClosed) return null;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async closed(): Promise<void> {
    if (!this.isClosed) await new Promise((resolve) => this.socket.once('close', resolve));
  }
}
