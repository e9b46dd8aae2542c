import { connect, type Socket } from 'node:net';

/** One connection that speaks frames: answers come in the order of the requests. */
export class KafkaConnection {
  readonly #socket: Socket;
  /** Called with an answer behind its correlation id. */
  readonly #waiting: ((answer: Buffer) => void)[] = [];
  #rest: Buffer = Buffer.alloc(0);

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
  }

  /** @param onLost called when it is closed, by whomever */
  static async open(server: string, onLost: (error: Error) => void): Promise<KafkaConnection> {
    const [host, port] = server.split(':');
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const socket = connect({ host: host!, port: Number(port), noDelay: true }, resolve);
    socket.on('error', (error) => {
      reject(error);
      onLost(error);
    });
    socket.on('close', () => onLost(new Error(`${server} closed a connection`)));
    await promise;
    return new KafkaConnection(socket);
  }

  /** Does not wait for what is before it. */
  send(frame: Uint8Array, onAnswer: (answer: Buffer) => void): void {
    this.#waiting.push(onAnswer);
    this.#socket.write(frame);
  }

  ask(frame: Uint8Array): Promise<Buffer> {
    return new Promise((resolve) => this.send(frame, resolve));
  }

  #take(chunk: Buffer): void {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    while (bytes.length >= 4 && bytes.length >= 4 + bytes.readInt32BE(0)) {
      const end = 4 + bytes.readInt32BE(0);
      this.#waiting.shift()?.(bytes.subarray(8, end));
      bytes = bytes.subarray(end);
    }
    this.#rest = Buffer.from(bytes);
  }
}
