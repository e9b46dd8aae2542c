import { expect, test } from 'vitest';
import { CorruptError } from '../../../src/codec/reader.ts';
import { FrameIntake } from '../../../src/kafka/frame-intake.ts';
import { framed } from '../../support/kafka-requests.ts';

class Memory {
  used = 0;
  room = Number.POSITIVE_INFINITY;
  readonly asked: number[] = [];

  tryHold(bytes: number): boolean {
    this.asked.push(bytes);
    if (this.used + bytes > this.room) return false;
    this.used += bytes;
    return true;
  }
}

/** All frames that come of some bytes, given in pieces of one size. */
function framesOf(intake: FrameIntake, bytes: Uint8Array, pieceBytes: number): string[] {
  const frames: string[] = [];
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    intake.push(bytes.subarray(at, at + pieceBytes));
    for (let next = intake.next(); next !== 'more'; next = intake.next()) {
      if (next === 'no-room') throw new Error('there is room');
      frames.push(Buffer.from(next.bytes).toString());
    }
  }
  return frames;
}

test('frames come whole, however their bytes are cut', () => {
  const sent = ['', 'a', 'some longer text', 'x'.repeat(5000), ''];
  const bytes = Buffer.concat(sent.map((text) => framed(Buffer.from(text))));
  for (const pieceBytes of [1, 2, 3, 5, 7, 1000, bytes.length]) {
    const intake = new FrameIntake(10_000, new Memory());
    expect(framesOf(intake, bytes, pieceBytes)).toEqual(sent);
    expect([intake.isInFrame, intake.heldBytes]).toEqual([false, 0]);
  }
});

test('a frame owns its bytes: those that came may be used again', () => {
  const intake = new FrameIntake(100, new Memory());
  const bytes = framed(Buffer.from('abc'));
  intake.push(bytes);
  const frame = intake.next() as { bytes: Uint8Array };
  bytes.fill(0);
  expect(Buffer.from(frame.bytes).toString()).toBe('abc');
});

test('whoever has the frame holds what was taken for it', () => {
  const memory = new Memory();
  const intake = new FrameIntake(100_000, memory);
  intake.push(framed(new Uint8Array(50_000)).subarray(0, 20_000));
  expect(intake.next()).toBe('more');
  expect([intake.isInFrame, intake.heldBytes]).toEqual([true, memory.used]);
  intake.push(new Uint8Array(30_004));
  expect(intake.next()).toMatchObject({ heldBytes: 50_000 });
  expect([intake.isInFrame, intake.heldBytes, memory.used]).toEqual([false, 0, 50_000]);
});

test('nothing is taken for bytes that are only announced', () => {
  const memory = new Memory();
  const intake = new FrameIntake(2 ** 30, memory);
  intake.push(Buffer.of(0x40, 0, 0, 0));
  expect(intake.next()).toBe('more');
  expect(memory.used).toBe(0);
  intake.push(Buffer.of(1));
  intake.next();
  expect(memory.used).toBeLessThanOrEqual(1024);
  for (let arrived = 1; arrived < 100_000; arrived += 1000) {
    intake.push(new Uint8Array(1000));
    expect(intake.next()).toBe('more');
    expect(memory.used).toBeLessThanOrEqual(4 * (arrived + 1000) + 1024);
    expect(intake.heldBytes).toBe(memory.used);
  }
});

test('while there is no room the bytes wait, and are taken in when there is', () => {
  const memory = new Memory();
  memory.room = 2000;
  const intake = new FrameIntake(100_000, memory);
  intake.push(framed(new Uint8Array(3000).fill(7), new Uint8Array(0)));
  expect(intake.next()).toBe('no-room');
  expect(intake.next()).toBe('no-room');
  expect([intake.isInFrame, intake.heldBytes]).toEqual([true, 0]);
  memory.room = 3000;
  expect(intake.next()).toMatchObject({ bytes: new Uint8Array(3000).fill(7) });
  expect(intake.next()).toBe('more');
});

test.each([
  ['one byte more than is allowed', Buffer.of(0, 0, 0, 101)],
  ['the largest there is', Buffer.of(0x7f, 255, 255, 255)],
  ['a negative size', Buffer.of(255, 255, 255, 255)],
  ['the smallest there is', Buffer.of(0x80, 0, 0, 0)],
])('%s is refused with the last byte of the size', (_, size) => {
  const intake = new FrameIntake(100, new Memory());
  intake.push(size.subarray(0, 3));
  expect(intake.next()).toBe('more');
  intake.push(size.subarray(3));
  expect(() => intake.next()).toThrow(CorruptError);
});

test('a frame of just the largest size is taken', () => {
  const intake = new FrameIntake(100, new Memory());
  expect(framesOf(intake, framed(new Uint8Array(100)), 104)).toHaveLength(1);
});
