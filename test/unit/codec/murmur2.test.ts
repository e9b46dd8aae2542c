import { describe, expect, test } from 'vitest';
import { murmur2, partitionForKey } from '../../../src/codec/murmur2.ts';
import { kafkaVectors } from '../records/kafka-vectors.ts';

const encoder = new TextEncoder();

describe('murmur2', () => {
  test('has the values of Kafka for keys of every length', () => {
    for (const { key, hash, partitionOf7 } of kafkaVectors.murmur2) {
      const bytes = Buffer.from(key, 'hex');
      expect(murmur2(bytes)).toBe(hash);
      expect(partitionForKey(bytes, 7)).toBe(partitionOf7);
    }
  });

  test('has the values of the test of Kafka', () => {
    expect(murmur2(encoder.encode('21'))).toBe(-973932308);
    expect(murmur2(encoder.encode('foobar'))).toBe(-790332482);
    expect(murmur2(encoder.encode('a-little-bit-long-string'))).toBe(-985981536);
    expect(murmur2(encoder.encode('a-little-bit-longer-string'))).toBe(-1486304829);
    expect(murmur2(encoder.encode('lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8'))).toBe(
      -58897971,
    );
    expect(murmur2(Uint8Array.of(97, 98, 99))).toBe(479470107);
  });

  test('a partition needs a topic that has some', () => {
    expect(() => partitionForKey(new Uint8Array(1), 0)).toThrow('at least one partition');
  });
});
