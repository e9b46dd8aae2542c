import { type Offset, offset } from '../model/ids.ts';

/**
 * The high watermark after replicas have made progress (DESIGN D8): the lowest flushed offset in the
 * maximal ISR, but it neither moves back nor moves while the ISR is smaller than the topic requires.
 *
 * @param current the high watermark so far
 * @param flushedOffsets flushed offset (exclusive) of every member of the maximal ISR, leader included
 * @param minInSync the effective minimum: `min(min.insync.replicas, replication factor)`
 */
export function nextHighWatermark(
  current: Offset,
  flushedOffsets: readonly Offset[],
  minInSync: number,
): Offset {
  if (flushedOffsets.length < minInSync) return current;
  let lowest = Number.MAX_SAFE_INTEGER;
  for (const flushed of flushedOffsets) lowest = Math.min(lowest, flushed);
  return flushedOffsets.length === 0 || lowest <= current ? current : offset(lowest);
}
