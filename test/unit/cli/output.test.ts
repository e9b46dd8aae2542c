import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { Output, OutputClosedError } from '../../../src/cli/output.ts';
import { BrokenPipe, Captured } from './run-varve.ts';

test('what is written arrives in order', async () => {
  const stream = new Captured();
  const output = new Output(stream);
  await output.write('a');
  await output.write(Buffer.from('b'));
  await output.writeJson({ c: [1, null] });
  output.tell('d');
  expect(stream.text).toBe('ab{"c":[1,null]}\nd');
});

test('a write waits until the stream has taken it', async () => {
  const taken: (() => void)[] = [];
  const stream = new Writable({ write: (_chunk, _encoding, done) => taken.push(done) });
  let isWritten = false;
  const written = new Output(stream).write('a').then(() => {
    isWritten = true;
  });
  await new Promise(setImmediate);
  expect(isWritten).toBe(false);
  taken.shift()!();
  await written;
});

test('a reader that has gone is told apart from a failure, now and later', async () => {
  const output = new Output(new BrokenPipe(1));
  await output.write('a');
  await expect(output.write('b')).rejects.toThrow(OutputClosedError);
  await expect(output.write('c')).rejects.toThrow(OutputClosedError);
  output.tell('d');
});

test('a full disk is a failure that says so', async () => {
  const stream = new Writable({
    write: (_chunk, _encoding, done) =>
      done(Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' })),
  });
  const output = new Output(stream);
  const message = 'cannot write the output: ENOSPC: no space left on device';
  await expect(output.write('a')).rejects.toThrow(message);
  await expect(output.write('b')).rejects.toThrow(message);
});

test('a terminal says how wide it is', () => {
  const stream = new Captured();
  expect(new Output(stream)).toMatchObject({ isTerminal: false, columns: 80 });
  stream.isTTY = true;
  stream.columns = 40;
  expect(new Output(stream)).toMatchObject({ isTerminal: true, columns: 40 });
});
