import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Compression } from '../../../src/codec/compression.ts';
import { CorruptError } from '../../../src/codec/reader.ts';
import { batchOf, portionsOf } from '../../../src/grpc/plain-records.ts';
import { leaderEpoch, offset, producerId } from '../../../src/model/ids.ts';
import { BatchBuilder } from '../../../src/records/batch-builder.ts';
import { BatchView } from '../../../src/records/batch-view.ts';
import { buildTransactionMarker } from '../../../src/records/control-batch.ts';
import { sealed } from './sealed-batch.ts';

const MIB = 1024 * 1024;
const limits = { batchBytes: MIB, portionBytes: MIB };
const plain = { key: undefined, value: undefined, headers: [], timestampMs: 1, offset: 0 };

/** A batch of records with these values, from `baseOffset` on. */
function batch(baseOffset: number, values: readonly Uint8Array[], compression: Compression = 0) {
  const builder = new BatchBuilder({ compression });
  for (const value of values) builder.append({ key: null, value, timestampMs: 1 });
  return builder.build(baseOffset).slice();
}

/** A batch of one control record. */
const controlBatch = (baseOffset: number): Uint8Array => {
  const bytes = buildTransactionMarker({
    type: 'commit',
    producerId: producerId(1),
    producerEpoch: 0,
    coordinatorEpoch: 0,
    timestampMs: 1,
  }).slice();
  new BatchView(bytes, 0).assignOffset(offset(baseOffset), leaderEpoch(0));
  return bytes;
};

const offsetsIn = (portions: Iterable<readonly { readonly offset: number }[]>) =>
  [...portions].map((records) => records.map(({ offset }) => offset));

test('what is made of plain records is one batch that holds them, also none and empty values', () => {
  const records = [
    { ...plain, key: new Uint8Array(0), value: new Uint8Array([1]) },
    {
      ...plain,
      headers: [
        { key: 'ä', value: undefined },
        { key: '', value: new Uint8Array([2]) },
      ],
    },
  ];
  const bytes = batchOf(records, 99);
  expect(new BatchView(bytes, 0).isCrcValid()).toBe(true);
  expect([...portionsOf([bytes], 0, limits)]).toEqual([[records[0], { ...records[1], offset: 1 }]]);
});

test('a record without a time gets that of the broker', () => {
  const bytes = batchOf([{ ...plain, timestampMs: 0 }], 1234);
  expect(new BatchView(bytes, 0).maxTimestamp).toBe(1234);
});

test('records before the position are left out, and control records', () => {
  const pieces = [
    batch(4, [new Uint8Array(1), new Uint8Array(1)]),
    controlBatch(6),
    batch(7, [new Uint8Array(1)]),
  ];
  expect(offsetsIn(portionsOf(pieces, 5, limits))).toEqual([[5, 7]]);
});

test('batches in one piece and in several are read alike', () => {
  const first = batch(0, [new Uint8Array(1)]);
  const second = batch(1, [new Uint8Array(1)]);
  const joined = new Uint8Array([...first, ...second]);
  expect(offsetsIn(portionsOf([joined], 0, limits))).toEqual([[0, 1]]);
  expect(offsetsIn(portionsOf([first, second], 0, limits))).toEqual([[0, 1]]);
});

test('portions are as small as asked for, but for a record that is larger', () => {
  const sizes = [100, 100, 5000, 100, 900, 100];
  const pieces = [
    batch(
      0,
      sizes.map((size) => new Uint8Array(size)),
    ),
  ];
  const portions = offsetsIn(portionsOf(pieces, 0, { batchBytes: MIB, portionBytes: 1000 }));
  expect(portions).toEqual([[0, 1], [2], [3], [4], [5]]);
});

test('nothing at all is one empty portion', () => {
  expect(offsetsIn(portionsOf([], 0, limits))).toEqual([[]]);
  expect(offsetsIn(portionsOf([controlBatch(0)], 0, limits))).toEqual([[]]);
});

test('a batch that comes to more than is allowed is refused before it takes the memory', () => {
  const bomb = batch(0, [new Uint8Array(20 * MIB)], Compression.zstd);
  expect(bomb.length).toBeLessThan(MIB / 10);
  expect(() => offsetsIn(portionsOf([bomb], 0, limits))).toThrow(CorruptError);
});

test('a piece that ends inside a batch is refused', () => {
  const bytes = batch(0, [new Uint8Array(50)]);
  expect(() => offsetsIn(portionsOf([bytes.subarray(0, 30)], 0, limits))).toThrow();
});

test('whatever bytes a producer put where records should be, they are read or refused as corrupt', () => {
  const bytes = fc.uint8Array({ minLength: 0, maxLength: 80 });
  const codec = fc.constantFrom(...Object.values(Compression));
  fc.assert(
    fc.property(bytes, codec, fc.nat(5), (payload, compression, count) => {
      const builder = new BatchBuilder({
        compression,
        producer: { id: producerId(1), epoch: 0, baseSequence: 0 },
      });
      for (let i = 0; i <= count; i++) {
        builder.append({ key: null, value: new Uint8Array(3), timestampMs: 1 });
      }
      const header = builder.build(0).subarray(0, 61);
      const damaged = new Uint8Array([...header, ...payload]);
      new DataView(damaged.buffer).setInt32(8, damaged.length - 12);
      try {
        offsetsIn(portionsOf([sealed(damaged)], 0, limits));
      } catch (error) {
        expect(error).toBeInstanceOf(CorruptError);
      }
    }),
    { numRuns: 2000 },
  );
});
