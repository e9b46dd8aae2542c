import type { Readable } from 'node:stream';

/** The chunks of a stream to its end, or until the signal fires; the stream is closed after that. */
export async function* readChunks(
  stream: Readable,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const close = (): void => {
    stream.destroy();
  };
  signal.addEventListener('abort', close, { once: true });
  try {
    if (signal.aborted) return;
    for await (const chunk of stream) yield chunk as Uint8Array;
  } catch (error) {
    // Reading fails when the stream is closed under it, which is what we did.
    if (!signal.aborted) throw error;
  } finally {
    signal.removeEventListener('abort', close);
    close();
  }
}
