import { deepStrictEqual, ok, strictEqual } from 'node:assert/strict';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Dump, DumpedBatch } from './dump-log.ts';

/** `index.interval.bytes` of Kafka and of ours. */
const INDEX_INTERVAL_BYTES = 4096;

/**
 * What the tool read fits together: no complaint, no gap, every byte of a segment is in a batch, the
 * indexes hold what Kafka's rules put there, and the snapshots what the batches say. After a clean stop
 * all indexes are complete; those that a killed broker leaves may end early.
 */
export function checkDump(dump: Dump, folder: string, isClean: boolean): void {
  deepStrictEqual(dump.complaints, []);
  const bases = [...dump.logs.keys()].sort((a, b) => a - b);
  let next = bases[0]!;
  for (const base of bases) {
    const batches = dump.logs.get(base)!;
    strictEqual(base, next, 'a segment begins where the one before ends');
    let position = 0;
    for (const batch of batches) {
      strictEqual(batch.baseOffset, next);
      strictEqual(batch.position, position);
      strictEqual(batch.count, batch.lastOffset - batch.baseOffset + 1);
      next = batch.lastOffset + 1;
      position += batch.size;
    }
    strictEqual(statSync(join(folder, nameOf(base, '.log'))).size, position);
    checkIndexes(dump, base, isClean);
  }
  checkSnapshots(dump, [...dump.logs.values()].flat());
  for (const suffix of ['.index', '.timeindex']) {
    for (const base of bases) {
      const name = nameOf(base, suffix);
      const entries = suffix === '.index' ? dump.indexes.get(base) : dump.timeIndexes.get(base);
      if (existsSync(join(folder, name)) && (entries?.length ?? 0) > 0) {
        // An offset index without entries is said to be empty, and that is all.
        ok(dump.sane.has(name), `${name} was not found sane`);
      }
    }
  }
}

const nameOf = (offset: number, suffix: string): string =>
  `${`${offset}`.padStart(20, '0')}${suffix}`;

function checkIndexes(dump: Dump, base: number, isComplete: boolean): void {
  const expected = expectedIndexes(dump.logs.get(base)!);
  const offsets = dump.indexes.get(base) ?? [];
  const times = dump.timeIndexes.get(base) ?? [];
  if (isComplete) {
    deepStrictEqual(offsets, expected.offsets);
    deepStrictEqual(times, expected.times);
  } else {
    deepStrictEqual(offsets, expected.offsets.slice(0, offsets.length));
    deepStrictEqual(times, expected.times.slice(0, times.length));
  }
}

/** By Kafka's rules: an entry when more than the interval was written since the last one (LogSegment.append). */
function expectedIndexes(batches: readonly DumpedBatch[]) {
  const offsets: { offset: number; position: number }[] = [];
  const times: { timestamp: number; offset: number }[] = [];
  let since = 0;
  let largest = { timestamp: -1, offset: -1 };
  const addTime = (): void => {
    if (largest.timestamp > (times.at(-1)?.timestamp ?? -1)) times.push(largest);
  };
  for (const { lastOffset, position, size, maxTimestamp } of batches) {
    if (maxTimestamp > largest.timestamp) largest = { timestamp: maxTimestamp, offset: lastOffset };
    if (since > INDEX_INTERVAL_BYTES) {
      offsets.push({ offset: lastOffset, position });
      addTime();
      since = 0;
    }
    since += size;
  }
  addTime();
  return { offsets, times };
}

/** Every producer of the batches before a snapshot is in it, with its last batch. */
function checkSnapshots(dump: Dump, batches: readonly DumpedBatch[]): void {
  for (const [at, producers] of dump.snapshots) {
    const last = new Map<number, DumpedBatch>();
    for (const batch of batches) {
      if (batch.producerId >= 0 && batch.lastOffset < at) last.set(batch.producerId, batch);
    }
    const told = new Map(producers.map((producer) => [producer.producerId, producer]));
    for (const [id, { producerEpoch, lastSequence, lastOffset }] of last) {
      deepStrictEqual(
        told.get(id),
        { ...told.get(id), producerId: id, producerEpoch, lastSequence, lastOffset },
        `producer ${id} in the snapshot at ${at}`,
      );
    }
    for (const { lastOffset } of producers) ok(lastOffset < at, 'of batches before the snapshot');
  }
}
