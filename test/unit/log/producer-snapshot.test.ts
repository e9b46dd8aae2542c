import { describe, expect, it } from 'vitest';
import { CorruptError } from '../../../src/codec/reader.ts';
import {
  decodeKafkaProducers,
  decodeOwnProducers,
  encodeProducers,
} from '../../../src/log/producer-snapshot.ts';
import type { ProducerState } from '../../../src/log/producer-states.ts';
import { offset, producerId } from '../../../src/model/ids.ts';

const batch = (firstSequence: number, count: number, at: number) => ({
  firstSequence,
  lastSequence: (firstSequence + count - 1) % 2 ** 31,
  firstOffset: offset(at),
  lastOffset: offset(at + count - 1),
  timestampMs: 1000 + at,
});

const states: ProducerState[] = [
  {
    id: producerId(5),
    epoch: 2,
    batches: [batch(0, 3, 10), batch(3, 1, 20), batch(2 ** 31 - 1, 4, 30)],
    coordinatorEpoch: -1,
    currentTxnFirstOffset: 10,
    lastAppendMs: 1_700_000_000_000,
  },
  {
    id: producerId(6),
    epoch: 0,
    batches: [],
    coordinatorEpoch: 9,
    currentTxnFirstOffset: -1,
    lastAppendMs: 1,
  },
];

describe('a snapshot of producers', () => {
  it('of ours keeps all that is known', () => {
    expect(decodeOwnProducers(encodeProducers(states).own)).toEqual(states);
    expect(decodeOwnProducers(encodeProducers([]).own)).toEqual([]);
  });

  it('of Kafka’s keeps the newest batch of each', () => {
    const [first, second] = decodeKafkaProducers(encodeProducers(states).kafka);
    expect(first).toEqual({
      ...states[0],
      batches: [{ ...states[0]!.batches[2], timestampMs: 1_700_000_000_000 }],
    });
    expect(second).toEqual(states[1]);
  });

  it('of Kafka’s has its layout', () => {
    const bytes = encodeProducers([states[1]!]).kafka;
    expect(bytes.length).toBe(10 + 46);
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    expect(view.getInt16(0)).toBe(1);
    expect(view.getInt32(6)).toBe(1);
    expect(view.getInt32(10 + 10)).toBe(-1);
    expect(view.getInt32(10 + 22)).toBe(0);
    expect(view.getInt32(10 + 34)).toBe(9);
    expect(view.getBigInt64(10 + 38)).toBe(-1n);
  });

  it('is not believed with any bit flipped or any byte missing', () => {
    const { kafka, own } = encodeProducers(states);
    for (let at = 0; at < kafka.length; at++) {
      const flipped = kafka.slice();
      flipped[at]! ^= 4;
      expect(() => decodeKafkaProducers(flipped)).toThrow(CorruptError);
      expect(() => decodeKafkaProducers(kafka.subarray(0, at))).toThrow(CorruptError);
    }
    for (let at = 0; at < own.length; at++) {
      const flipped = own.slice();
      flipped[at]! ^= 4;
      expect(() => decodeOwnProducers(flipped)).toThrow(CorruptError);
      expect(() => decodeOwnProducers(own.subarray(0, at))).toThrow(CorruptError);
    }
  });
});
