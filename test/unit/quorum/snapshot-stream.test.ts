import { expect, test } from 'vitest';
import { crc32c } from '../../../src/codec/crc32c.ts';
import { leaderEpoch } from '../../../src/model/ids.ts';
import { encodeSnapshot } from '../../../src/quorum/snapshot-chunks.ts';
import { IncomingSnapshot, sliceOfStream } from '../../../src/quorum/snapshot-stream.ts';
import { metaAt } from '../../support/storage-story.ts';

const records = Array.from({ length: 20 }, (_, i) => new Uint8Array(50 * 1024).fill(i));
const chunks = encodeSnapshot({ lastIndex: 9, epoch: leaderEpoch(2), records });
const snapshot = metaAt(9, 2);

const slice = (offset: number, bytesMax: number) =>
  sliceOfStream(
    chunks.map(({ length }) => length),
    offset,
    bytesMax,
    async (number) => chunks[number]!,
  );

/** To compare much without showing it. */
const sums = (all: readonly Uint8Array[]): number[] => all.map((one) => crc32c(one));

async function pieces(bytesMax: number) {
  const all: Uint8Array[] = [];
  for (let offset = 0; ; ) {
    const piece = (await slice(offset, bytesMax))!;
    all.push(piece.bytes);
    offset += piece.bytes.length;
    if (piece.isLast) return all;
  }
}

/** Gives the pieces to a node that believes them; what arrived with the last one. */
function receive(incoming: IncomingSnapshot, all: readonly Uint8Array[], meta = snapshot) {
  let offset = 0;
  let arrived: ReturnType<IncomingSnapshot['add']> = null;
  for (const [at, bytes] of all.entries()) {
    const chunk = { snapshot: meta, offset, bytes, isLast: at === all.length - 1 };
    if (!incoming.accepts(chunk)) return 'refused';
    arrived = incoming.add(chunk);
    offset += bytes.length;
  }
  return arrived;
}

test('a snapshot arrives whole, whatever its pieces are', async () => {
  expect(chunks.length).toBeGreaterThan(3);
  for (const bytesMax of [1000, 100_000, 10_000_000]) {
    const all = await pieces(bytesMax);
    for (const { length } of all) expect(length).toBeLessThanOrEqual(bytesMax);
    const arrived = receive(new IncomingSnapshot(), all);
    if (arrived === null || arrived === 'refused') throw new Error('it has not arrived');
    expect(arrived.meta).toEqual(snapshot);
    expect(sums(arrived.chunks)).toEqual(sums(chunks));
    expect(sums(arrived.records)).toEqual(sums(records));
  }
});

test('a snapshot may be one piece', async () => {
  const [only] = encodeSnapshot({ lastIndex: 9, epoch: leaderEpoch(2), records: [] });
  const piece = await sliceOfStream([only!.length], 0, 1000, async () => only!);
  expect(piece?.isLast).toBe(true);
  expect(receive(new IncomingSnapshot(), [piece!.bytes])).toEqual({
    ...{ meta: snapshot, chunks: [only], records: [] },
  });
});

test('there is nothing behind the end, nor where a chunk is gone', async () => {
  const end = (await pieces(1_000_000)).reduce((sum, { length }) => sum + length, 0);
  expect(await slice(end, 10)).toBeNull();
  expect(await slice(end - 1, 10)).toMatchObject({ isLast: true });
  expect(await sliceOfStream([10], 0, 10, async () => null)).toBeNull();
});

test('one that is damaged, cut short or another one is refused with its last piece', async () => {
  const all = await pieces(100_000);
  const flipped = all.map((piece) => piece.slice());
  flipped[1]![500]! ^= 1;
  const incoming = new IncomingSnapshot();
  expect(receive(incoming, flipped)).toBe('refused');
  expect(receive(incoming, all.slice(0, -1))).toBe('refused');
  expect(receive(incoming, all, metaAt(8, 2))).toBe('refused');
  expect(receive(incoming, all, metaAt(9, 3))).toBe('refused');
  expect(receive(incoming, [new Uint8Array(0)])).toBe('refused');
  // What came before does not count.
  expect(receive(incoming, all)).toMatchObject({ meta: snapshot });
});

test('a snapshot that would be larger than can be held is refused', () => {
  const chunk = { snapshot, offset: 2 ** 30, bytes: new Uint8Array(1), isLast: false };
  expect(new IncomingSnapshot().accepts(chunk)).toBe(false);
});
