import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createServer } from 'node:net';
import { ValuePool } from '../load/value-pool.ts';
import { emit, serveJob } from '../run/worker.ts';

/** The sending end of the fetch limit: makes a file and sends it to whoever connects. */
export interface FileServerJob {
  readonly file: string;
  readonly bytes: number;
}

const CHUNK_BYTES = 1024 * 1024;

serveJob<FileServerJob>(async ({ file, bytes }) => {
  const handle = await open(file, 'w');
  const chunks = new ValuePool(CHUNK_BYTES, 64);
  for (let written = 0; written < bytes; written += CHUNK_BYTES) {
    await handle.write(chunks.next(), 0, Math.min(CHUNK_BYTES, bytes - written));
  }
  await handle.close();
  return await new Promise<object>((_, reject) => {
    const server = createServer((socket) => {
      socket.on('error', reject);
      createReadStream(file, { highWaterMark: CHUNK_BYTES }).on('error', reject).pipe(socket);
    });
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => emit({ event: 'ready', ...(server.address() as object) }));
  });
});
