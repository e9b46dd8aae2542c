import { describe, expect, test } from 'vitest';
import { BoundedOutput, DecompressedTooLargeError } from '../../../src/codec/bounded-output.ts';
import { CorruptError } from '../../../src/codec/reader.ts';

const source = Uint8Array.from({ length: 300 }, (_, i) => i);

describe('BoundedOutput', () => {
  test('takes literals, short and long', () => {
    const output = new BoundedOutput(0, 1000);
    output.literal(source, 3, 2);
    output.literal(source, 10, 200);
    expect(output.length).toBe(202);
    expect(output.toBytes()).toEqual(Uint8Array.of(3, 4, ...source.subarray(10, 210)));
  });

  test('repeats what is far, what is near and what is being written', () => {
    const output = new BoundedOutput(1, 1000);
    output.literal(source, 0, 100);
    output.repeat(100, 64, 0);
    expect(output.toBytes().subarray(100)).toEqual(source.subarray(0, 64));
    output.repeat(3, 7, 0);
    expect([...output.toBytes().subarray(164)]).toEqual([61, 62, 63, 61, 62, 63, 61]);
    output.repeat(1, 40, 0);
    expect(output.toBytes().subarray(171)).toEqual(new Uint8Array(40).fill(61));
  });

  test('refuses to reach back before its window', () => {
    const output = new BoundedOutput(10, 1000);
    output.literal(source, 0, 8);
    expect(() => output.repeat(0, 1, 0)).toThrow(CorruptError);
    expect(() => output.repeat(9, 1, 0)).toThrow(CorruptError);
    expect(() => output.repeat(5, 1, 4)).toThrow('5 bytes back where 4 may be reached');
    output.repeat(4, 1, 4);
    expect(output.toBytes().at(-1)).toBe(4);
  });

  test('never passes its maximum, nor makes more room than that', () => {
    const output = new BoundedOutput(1e12, 10);
    expect(output.toBytes().buffer.byteLength).toBe(10);
    output.literal(source, 0, 10);
    expect(() => output.literal(source, 0, 1)).toThrow(DecompressedTooLargeError);
    expect(() => output.repeat(1, 2 ** 40, 0)).toThrow(DecompressedTooLargeError);
    expect(output.length).toBe(10);
  });
});
