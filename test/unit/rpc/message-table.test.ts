import { expect, test } from 'vitest';
import { CorruptError } from '../../../src/codec/reader.ts';
import {
  bool,
  bytes,
  int32,
  int64,
  MessageTable,
  message,
  optional,
  repeated,
  text,
} from '../../../src/rpc/message-table.ts';
import { ProtobufReader } from '../../../src/rpc/protobuf.ts';

// Against protobufjs, and damaged, in test/property/peer-frames.test.ts.

interface Inner {
  readonly n: number;
}
interface Outer {
  readonly small: number;
  readonly large: number;
  readonly yes: boolean;
  readonly name: string;
  readonly data: Uint8Array;
  readonly must: Inner;
  readonly may: Inner | undefined;
  readonly many: readonly Inner[];
}

const inner = new MessageTable<Inner>({ n: int64(1) });
const outer = new MessageTable<Outer>({
  small: int32(1),
  large: int64(2),
  yes: bool(3),
  name: text(4, 6, 'a name'),
  data: bytes(5),
  must: message(6, inner),
  may: optional(7, inner),
  many: repeated(8, inner),
});

const full: Outer = {
  ...{ small: -3, large: 2 ** 40, yes: true, name: 'größ', data: Uint8Array.of(1, 2) },
  ...{ must: { n: 0 }, may: { n: 5 }, many: [{ n: 1 }, { n: 0 }, { n: 3 }] },
};
const read = (encoded: Uint8Array): Outer => outer.read(new ProtobufReader(encoded));

test('what was written is read, also defaults', () => {
  expect(read(outer.encode(full))).toEqual(full);
  const least: Outer = {
    ...{ small: 0, large: 0, yes: false, name: '', data: new Uint8Array(0) },
    ...{ must: { n: 0 }, may: undefined, many: [] },
  };
  expect(outer.encode(least)).toHaveLength(2);
  expect(read(outer.encode(least))).toEqual(least);
});

test('lists of two messages have nothing to do with each other', () => {
  const [a, b] = [read(outer.encode(full)), read(outer.encode(full))];
  expect(a.many).toHaveLength(3);
  expect(b.many).toHaveLength(3);
});

test('a message that must be there is missed', () => {
  expect(() => read(new Uint8Array(0))).toThrow(new CorruptError('must is missing'));
});

test('a text that is too long is refused, in bytes', () => {
  const long = { ...full, name: 'größe' };
  expect(() => read(outer.encode(long))).toThrow('a name has more than 6 bytes');
});

test('unknown fields are skipped, also inside, and the last of a field given twice counts', () => {
  const unknown = Uint8Array.of((15 << 3) | 0, 7);
  const twice = Buffer.concat([outer.encode(full), unknown, Uint8Array.of(1 << 3, 9)]);
  expect(read(twice)).toEqual({ ...full, small: 9, data: expect.anything() });
});
