import type { SimulatedRandom } from '../simulation/env/simulated-random.ts';

/** An input is never longer than this: what grows by doubling would not end. */
const MAX_INPUT_BYTES = 64 * 1024;

/** Numbers at which decoders change their mind. */
const edges: readonly bigint[] = [
  0n,
  1n,
  -1n,
  127n,
  128n,
  255n,
  0x7fffn,
  0xffffn,
  0x7fff_ffffn,
  -0x8000_0000n,
  0xffff_ffffn,
  2n ** 53n - 1n,
  2n ** 53n,
  -(2n ** 53n),
  2n ** 63n - 1n,
  -(2n ** 63n),
];

type Mutation = (random: SimulatedRandom, bytes: Uint8Array, other: Uint8Array) => Uint8Array;

const flipBit: Mutation = (random, bytes) => {
  if (bytes.length > 0) bytes[random.below(bytes.length)]! ^= 1 << random.below(8);
  return bytes;
};

const setByte: Mutation = (random, bytes) => {
  if (bytes.length > 0) bytes[random.below(bytes.length)] = random.uint32();
  return bytes;
};

/** An edge number as an integer of 1, 2, 4 or 8 bytes, in either byte order. */
const setNumber: Mutation = (random, bytes) => {
  const size = random.pick([1, 2, 4, 8]);
  if (bytes.length < size) return bytes;
  const at = random.below(bytes.length - size + 1);
  const number = new DataView(new ArrayBuffer(8));
  const littleEndian = random.chance(0.3);
  number.setBigInt64(0, random.pick(edges), littleEndian);
  bytes.set(new Uint8Array(number.buffer, littleEndian ? 0 : 8 - size, size), at);
  return bytes;
};

/** An edge number as a varint, put in or written over what is there. */
const setVarint: Mutation = (random, bytes) => {
  const varint: number[] = [];
  let rest = BigInt.asUintN(64, random.pick(edges));
  while (rest >= 0x80n) {
    varint.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  varint.push(Number(rest));
  if (random.chance(0.1)) varint.unshift(...Array<number>(random.below(12)).fill(0xff));
  const at = random.below(bytes.length + 1);
  return spliced(bytes, at, random.chance(0.5) ? varint.length : 0, Uint8Array.from(varint));
};

const truncate: Mutation = (random, bytes) => bytes.slice(0, random.below(bytes.length + 1));

const remove: Mutation = (random, bytes) =>
  spliced(bytes, random.below(bytes.length + 1), 1 + random.below(16), new Uint8Array(0));

const insert: Mutation = (random, bytes) => {
  const count = 1 + random.below(random.chance(0.1) ? 4096 : 16);
  const added = random.chance(0.5)
    ? random.bytes(count)
    : new Uint8Array(count).fill(random.uint32());
  return spliced(bytes, random.below(bytes.length + 1), 0, added);
};

const repeat: Mutation = (random, bytes) => {
  const from = random.below(bytes.length + 1);
  const part = bytes.slice(from, from + 1 + random.below(64));
  const copies = 1 + random.below(random.chance(0.1) ? 500 : 4);
  const added = new Uint8Array(part.length * copies);
  for (let i = 0; i < copies; i++) added.set(part, i * part.length);
  return spliced(bytes, from, 0, added);
};

/** The beginning of one input with the end of another. */
const cross: Mutation = (random, bytes, other) => {
  const head = bytes.subarray(0, random.below(bytes.length + 1));
  return spliced(head, head.length, 0, other.slice(random.below(other.length + 1)));
};

const mutations: readonly Mutation[] = [
  ...[flipBit, flipBit, setByte, setNumber, setNumber, setVarint],
  ...[truncate, remove, insert, repeat, cross],
];

/** One of `corpus`, changed in one to five ways; a few are left as they are, a few are noise. */
export function mutate(random: SimulatedRandom, corpus: readonly Uint8Array[]): Uint8Array {
  if (random.chance(0.01)) return random.bytes(random.below(200));
  // A copy also of a Buffer, whose own `slice` is a view.
  let bytes: Uint8Array = new Uint8Array(random.pick(corpus));
  if (random.chance(0.01)) return bytes;
  for (let left = 1 + random.below(5); left > 0; left--) {
    bytes = random.pick(mutations)(random, bytes, random.pick(corpus));
    if (bytes.length > MAX_INPUT_BYTES) bytes = bytes.slice(0, MAX_INPUT_BYTES);
  }
  return bytes;
}

function spliced(bytes: Uint8Array, at: number, removed: number, added: Uint8Array): Uint8Array {
  const tail = bytes.subarray(Math.min(at + removed, bytes.length));
  const result = new Uint8Array(at + added.length + tail.length);
  result.set(bytes.subarray(0, at));
  result.set(added, at);
  result.set(tail, at + added.length);
  return result;
}
