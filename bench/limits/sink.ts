import { type FileHandle, open } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { emit, serveJob } from '../run/worker.ts';

/**
 * The receiving end of the produce and latency limits: writes what arrives to a file and answers
 * with the total that is safe (8 bytes, a float64), after an fdatasync or, without `sync`, after
 * the write. While one write or sync runs, more arrives, and all of it shares the next: the group
 * commit of a broker without the broker.
 */
export interface SinkJob {
  readonly file: string;
  readonly sync: boolean;
}

class Sink {
  readonly #socket: Socket;
  readonly #file: FileHandle;
  readonly #sync: boolean;
  #arrived: Uint8Array[] = [];
  #written = 0;
  #synced = 0;
  #isWriting = false;
  #isSyncing = false;

  constructor(socket: Socket, file: FileHandle, sync: boolean) {
    this.#socket = socket;
    this.#file = file;
    this.#sync = sync;
    socket.setNoDelay(true);
    socket.on('data', (bytes) => {
      this.#arrived.push(bytes);
      if (!this.#isWriting) this.#run(this.#write());
    });
  }

  /** Writes everything that has arrived, until nothing more has. */
  async #write(): Promise<void> {
    this.#isWriting = true;
    while (this.#arrived.length > 0) {
      const batch = this.#arrived;
      this.#arrived = [];
      const { bytesWritten } = await this.#file.writev(batch);
      this.#written += bytesWritten;
      if (!this.#sync) this.#answer(this.#written);
      else if (!this.#isSyncing) this.#run(this.#syncAll());
    }
    this.#isWriting = false;
  }

  /** Syncs everything that has been written, until nothing more has. */
  async #syncAll(): Promise<void> {
    this.#isSyncing = true;
    while (this.#synced < this.#written) {
      const covered = this.#written;
      await this.#file.datasync();
      this.#synced = covered;
      this.#answer(covered);
    }
    this.#isSyncing = false;
  }

  #answer(total: number): void {
    const answer = Buffer.allocUnsafe(8);
    answer.writeDoubleBE(total);
    this.#socket.write(answer);
  }

  #run(work: Promise<void>): void {
    work.catch((error: unknown) => this.#socket.destroy(error as Error));
  }
}

serveJob<SinkJob>(async ({ file, sync }) => {
  const handle = await open(file, 'w');
  return await new Promise<object>((resolve, reject) => {
    const server = createServer((socket) => {
      new Sink(socket, handle, sync);
      socket.on('error', reject);
      socket.on('close', () => resolve({}));
    });
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => emit({ event: 'ready', ...(server.address() as object) }));
  });
});
