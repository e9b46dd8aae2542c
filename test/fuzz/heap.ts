import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { CorruptError } from '../../src/codec/reader.ts';
import { adminMethods } from '../../src/rpc/admin-service.ts';
import { fetchRequestCodec, MAX_ENTRIES, produceRequestCodec } from '../../src/rpc/log-codecs.ts';

/**
 * How much memory a request takes when it is decoded, and nothing has yet said that it is taken:
 * at most four bytes for each of its own (DESIGN D15), and a fixed sum for what is small.
 */
export const MAX_HEAP_PER_BYTE = 4;
/**
 * Once in a process, not once a connection: a request of a stream is dealt with in the turn in which it is
 * decoded, and that of a unary call is charged to the memory of all for as long as it is kept.
 */
export const FIXED_HEAP_BYTES: number = 3 * 1024 * 1024;

export interface HeapMeasure {
  readonly name: string;
  readonly wireBytes: number;
  /** What its decoded form holds; 0 if it is refused. */
  readonly heapBytes: number;
  readonly isRefused: boolean;
}

/** Messages that are cheap to send and dear to hold, each as large as its decoder takes it. */
export async function measureHeap(): Promise<HeapMeasure[]> {
  const { createTopics, alterConfigs, describeTopics, listOffsets } = adminMethods;
  const entry = Buffer.concat([text(1, 0), text(3, 1), text(4, 2)]);
  const record = Buffer.concat([text(1, 0), text(2, 0)]);
  const topic = text(1, 0);
  const plain = repeat(MAX_ENTRIES, () => field(5, record));
  return [
    await measure('ProduceRequest of small batches', produceRequestCodec.decode, () =>
      repeat(MAX_ENTRIES, () => field(4, entry)),
    ),
    await measure('ProduceRequest of few small batches', produceRequestCodec.decode, () =>
      repeat(MAX_ENTRIES / 2, () => field(4, entry)),
    ),
    await measure('ProduceRequest of plain records', produceRequestCodec.decode, () =>
      repeat(19, () => field(4, plain)),
    ),
    await measure('ProduceRequest with empty headers', produceRequestCodec.decode, () =>
      field(
        4,
        field(
          5,
          repeat(100_000, () => Buffer.of(0x1a, 0)),
        ),
      ),
    ),
    await measure('FetchRequest', fetchRequestCodec.decode, () =>
      Buffer.concat([
        repeat(MAX_ENTRIES, (at) => field(5, text(1, at))),
        repeat(MAX_ENTRIES, (at) => field(6, text(1, at))),
      ]),
    ),
    await measure('FetchRequest with topic ids of a byte', fetchRequestCodec.decode, () =>
      repeat(MAX_ENTRIES, (at) => field(5, Buffer.concat([text(1, at), text(3, 1)]))),
    ),
    await measure('CreateTopics of nothing', createTopics.request.decode, () =>
      repeat(9999, () => field(1, Buffer.alloc(0))),
    ),
    await measure('CreateTopics with settings', createTopics.request.decode, () =>
      field(
        1,
        repeat(90_000, (at) => field(4, text(1, at))),
      ),
    ),
    await measure('CreateTopics with some settings', createTopics.request.decode, () =>
      field(
        1,
        repeat(9000, (at) => field(4, text(1, at))),
      ),
    ),
    await measure('AlterConfigs that unset much', alterConfigs.request.decode, () =>
      field(
        1,
        repeat(200_000, (at) => text(3, at)),
      ),
    ),
    await measure('AlterConfigs that unset something', alterConfigs.request.decode, () =>
      field(
        1,
        repeat(15_000, (at) => text(3, at)),
      ),
    ),
    await measure('DescribeTopics', describeTopics.request.decode, () =>
      repeat(9999, (at) => text(1, at)),
    ),
    await measure('ListOffsets', listOffsets.request.decode, () =>
      repeat(9999, () => field(1, topic)),
    ),
  ];
}

/** Bytes beyond what the wire pays for; the message itself is held as well. */
export const excess = ({ wireBytes, heapBytes }: HeapMeasure): number =>
  heapBytes - (MAX_HEAP_PER_BYTE - 1) * wireBytes;

/** A field of bytes, a text or a message. */
function field(number: number, content: Uint8Array): Buffer {
  const length: number[] = [];
  let rest = content.length;
  for (; rest >= 128; rest >>>= 7) length.push((rest & 127) | 128);
  return Buffer.concat([Buffer.of((number << 3) | 2, ...length, rest), content]);
}

/** A field with a short text that is another one for each `at`. */
const text = (number: number, at: number): Buffer => field(number, Buffer.from(at.toString(36)));

const repeat = (count: number, make: (at: number) => Buffer): Buffer =>
  Buffer.concat(Array.from({ length: count }, (_, at) => make(at)));

async function measure(
  name: string,
  decode: (bytes: Uint8Array) => unknown,
  make: () => Buffer,
): Promise<HeapMeasure> {
  const bytes = new Uint8Array(make());
  const before = await settledHeap();
  let held: unknown = 'refused';
  try {
    held = decode(bytes);
  } catch (error) {
    if (!(error instanceof CorruptError)) throw error;
  }
  const isRefused = held === 'refused';
  const heapBytes = isRefused ? 0 : (await settledHeap()) - before;
  // Until here both are alive.
  if (held === undefined) throw new Error(`${name}: nothing came of ${bytes.length} bytes`);
  return { name, wireBytes: bytes.length, heapBytes, isRefused };
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
