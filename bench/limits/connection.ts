import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** Where a limit's server process listens, as it announces it. */
export interface Listening {
  readonly port: number;
}

/** A connection to `sink.ts`: counts what it sent and reads back how much of it is safe. */
export class SinkConnection {
  readonly #socket: Socket;
  #unread = Buffer.alloc(0);
  #sent = 0;
  #safe = 0;

  constructor(socket: Socket, onSafe: (total: number) => void) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (bytes) => {
      const answers = Buffer.concat([this.#unread, bytes]);
      const whole = answers.length - (answers.length % ANSWER_BYTES);
      this.#unread = answers.subarray(whole);
      if (whole === 0) return;
      this.#safe = answers.readDoubleBE(whole - ANSWER_BYTES);
      onSafe(this.#safe);
    });
  }

  /** `onSafe` is told how many of the bytes sent so far are safe, whenever that rose. */
  static async open(port: number, onSafe: (total: number) => void): Promise<SinkConnection> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return new SinkConnection(socket, onSafe);
  }

  get sent(): number {
    return this.#sent;
  }

  get safe(): number {
    return this.#safe;
  }

  send(bytes: Uint8Array): void {
    this.#sent += bytes.length;
    this.#socket.write(bytes);
  }
}

const ANSWER_BYTES = 8;
