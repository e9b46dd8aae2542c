import { memoryEnv } from '../../../src/env/memory-env.ts';
import type { File, FileSystem } from '../../../src/env/ports.ts';
import { Segment } from '../../../src/log/segment.ts';
import { SegmentIndexes } from '../../../src/log/segment-indexes.ts';
import { leaderEpoch, offset } from '../../../src/model/ids.ts';
import { BatchView } from '../../../src/records/batch-view.ts';
import { makeBatch } from './log-world.ts';

export const INTERVAL_BYTES = 150;

/** A closed segment from offset 10 in memory: `count` batches of two records. */
export interface WrittenSegment {
  readonly files: FileSystem;
  readonly segment: Segment;
  readonly file: File;
  readonly batches: readonly Uint8Array[];
  readonly positions: readonly number[];
}

export async function writeSegment(count: number, valueBytes = 20): Promise<WrittenSegment> {
  const { files } = memoryEnv();
  await files.makeDirectory('log');
  const segment = new Segment('log', offset(10));
  const file = await files.open(segment.path('.log'), 'create');
  const indexes = new SegmentIndexes(offset(10));
  const batches: Uint8Array[] = [];
  const positions: number[] = [];
  for (let i = 0; i < count; i++) {
    const bytes = makeBatch({ count: 2, valueBytes, tag: i, timestampMs: 1000 + i });
    const batch = new BatchView(bytes, 0);
    batch.assignOffset(segment.endOffset, leaderEpoch(0));
    await file.write(segment.sizeInBytes, [bytes]);
    indexes.add(segment.sizeInBytes, batch.lastOffset, batch.maxTimestamp, INTERVAL_BYTES);
    positions.push(segment.sizeInBytes);
    segment.sizeInBytes += bytes.length;
    segment.endOffset = batch.nextOffset;
    batches.push(bytes);
  }
  segment.writtenBytes = segment.sizeInBytes;
  segment.indexes = indexes;
  return { files, segment, file, batches, positions };
}

export async function flip(file: File, position: number): Promise<void> {
  const [byte] = await file.read(position, 1);
  await file.write(position, [new Uint8Array([byte! ^ 1])]);
}
