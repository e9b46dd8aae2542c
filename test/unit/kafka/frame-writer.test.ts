import { expect, test } from 'vitest';
import { FrameWriter } from '../../../src/kafka/frame-writer.ts';

const hexOf = (pieces: readonly Uint8Array[]) => Buffer.concat(pieces).toString('hex');

test('a frame begins with its size, what is lent included', () => {
  expect(hexOf(new FrameWriter().finish())).toBe('00000000');
  const writer = new FrameWriter();
  writer.fields.int8(1);
  writer.lend([Uint8Array.of(2, 3), Uint8Array.of(4)]);
  writer.fields.int8(5);
  writer.lend([Uint8Array.of(6)]);
  expect(hexOf(writer.finish())).toBe('00000006' + '01020304' + '05' + '06');
});

test('what is lent leaves as it is, in its place', () => {
  const writer = new FrameWriter();
  const [first, second] = [new Uint8Array(1000), new Uint8Array(0)];
  writer.lend([first]);
  writer.lend([second]);
  writer.lend([]);
  // The buffer of the fields grows meanwhile.
  for (let at = 0; at < 1000; at++) writer.fields.int8(7);
  const frame = writer.finish();
  expect(frame.filter((piece) => piece === first || piece === second)).toEqual([first, second]);
  expect(frame.reduce((sum, { length }) => sum + length, 0)).toBe(4 + 1000 + 1000);
});
