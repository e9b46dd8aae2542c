import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { CorruptError } from '../../src/codec/reader.ts';
import { adminMethods } from '../../src/rpc/admin-service.ts';
import { fetchRequestCodec, produceRequestCodec } from '../../src/rpc/log-codecs.ts';
import { SimulatedRandom } from '../simulation/env/simulated-random.ts';

/**
 * How much memory a request takes when it is decoded, and nothing has yet said that it is taken:
 * at most four bytes for each of its own (DESIGN D15), and a fixed sum for what is small.
 */
export const MAX_HEAP_PER_BYTE = 4;
/** Once in a process, not once a connection: a decoded request is dealt with in the same turn. */
export const FIXED_HEAP_BYTES: number = 2.5 * 1024 * 1024;

export interface HeapMeasure {
  readonly name: string;
  readonly wireBytes: number;
  readonly heapBytes: number;
}

interface Decoder {
  readonly name: string;
  readonly maxBytes: number;
  decode(bytes: Uint8Array): unknown;
}

const MIB = 1024 * 1024;
const decoders: readonly Decoder[] = [
  { name: 'ProduceRequest', maxBytes: 16 * MIB, decode: produceRequestCodec.decode },
  { name: 'FetchRequest', maxBytes: 16 * MIB, decode: fetchRequestCodec.decode },
  ...Object.entries(adminMethods).map(([name, { request }]) => ({
    name,
    maxBytes: MIB,
    decode: (bytes: Uint8Array): unknown => request.decode(bytes),
  })),
];

/** The worst of `tries` messages of each kind that are made to be cheap to send and dear to hold. */
export async function measureHeap(seed: number, tries: number): Promise<HeapMeasure[]> {
  const measures: HeapMeasure[] = [];
  for (const decoder of decoders) {
    const random = new SimulatedRandom(seed).fork(decoder.name);
    let worst: HeapMeasure = { name: decoder.name, wireBytes: MIB, heapBytes: 0 };
    for (let i = 0; i < tries; i++) {
      const bytes = amplifier(random, random.pick([decoder.maxBytes, MIB, 64 * 1024]));
      const heapBytes = await heapOf(() => decoder.decode(bytes));
      // The bytes themselves are held as well.
      const measure = { name: decoder.name, wireBytes: bytes.length, heapBytes };
      if (excess(measure) > excess(worst)) worst = measure;
    }
    measures.push(worst);
  }
  return measures;
}

/** Bytes beyond what the wire pays for. */
export const excess = ({ wireBytes, heapBytes }: HeapMeasure): number =>
  heapBytes - (MAX_HEAP_PER_BYTE - 1) * wireBytes;

/** Small fields in small messages, over and over. */
function amplifier(random: SimulatedRandom, maxBytes: number): Uint8Array {
  const field = (): Uint8Array => {
    const number = 1 + random.below(6);
    const length = random.pick([0, 1, 1, 2, 3, 16]);
    if (random.chance(0.2)) return Uint8Array.of(number << 3, random.below(128));
    // Letters: texts are decoded as well as bytes.
    const content = random.bytes(length).map((byte) => 97 + (byte % 26));
    return Uint8Array.of((number << 3) | 2, length, ...content);
  };
  const nest = (depth: number): Uint8Array => {
    const fields = Array.from({ length: random.below(5) }, () =>
      depth > 0 && random.chance(0.5) ? nest(depth - 1) : field(),
    );
    const content = Buffer.concat(fields).subarray(0, 127);
    return Uint8Array.of(((1 + random.below(6)) << 3) | 2, content.length, ...content);
  };
  const unit = random.chance(0.5) ? nest(2) : Buffer.concat([field(), field()]);
  // As many as a field may have at most, or as many as there is room for.
  const count = Math.min(random.pick([5000, 9999, maxBytes]), Math.floor(maxBytes / unit.length));
  const message = new Uint8Array(count * unit.length);
  for (let at = 0; at < message.length; at += unit.length) message.set(unit, at);
  return message;
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Bytes that the process holds after everything that can go has gone. */
export async function settledHeap(): Promise<number> {
  // The memory of buffers is given back in a later turn, and what hung on it with the next collection.
  for (let i = 0; i < 2; i++) {
    collectGarbage();
    await nextTurn();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** What the result of `decode` holds; 0 if it refuses. */
async function heapOf(decode: () => unknown): Promise<number> {
  const before = await settledHeap();
  let held: unknown;
  try {
    held = decode();
  } catch (error) {
    if (!(error instanceof CorruptError)) throw error;
    return 0;
  }
  const heapBytes = (await settledHeap()) - before;
  // Until here it is alive.
  if (held === undefined) throw new Error('a decoder gave nothing');
  return heapBytes;
}
