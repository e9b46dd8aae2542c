import { PassThrough, Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { readChunks } from '../../../src/cli/input.ts';

async function texts(stream: Readable, signal: AbortSignal): Promise<string[]> {
  const found: string[] = [];
  for await (const chunk of readChunks(stream, signal)) found.push(Buffer.from(chunk).toString());
  return found;
}

test('all chunks come, and the stream is closed', async () => {
  const stream = Readable.from([Buffer.from('a'), Buffer.from('b')]);
  expect(await texts(stream, new AbortController().signal)).toEqual(['a', 'b']);
  expect(stream.destroyed).toBe(true);
});

test('a signal ends a read that waits, without an error', async () => {
  const stream = new PassThrough();
  const controller = new AbortController();
  const reading = texts(stream, controller.signal);
  stream.write('a');
  await new Promise(setImmediate);
  controller.abort();
  expect(await reading).toEqual(['a']);
  expect(stream.destroyed).toBe(true);
});

test('nothing is read after a signal', async () => {
  const stream = Readable.from([Buffer.from('a')]);
  expect(await texts(stream, AbortSignal.abort())).toEqual([]);
  expect(stream.destroyed).toBe(true);
});

test('an error of the stream is passed on', async () => {
  const stream = new PassThrough();
  const reading = texts(stream, new AbortController().signal);
  stream.destroy(new Error('EIO'));
  await expect(reading).rejects.toThrow('EIO');
});
