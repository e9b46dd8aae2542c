import { byPartition, type History, partitionOf } from '../history.ts';

/**
 * The second half of C3 (and C7): what was read once is there at the end, unless the log starts
 * later by then. That it is the same record is for `one-value-per-offset.ts`.
 */
export function readsAreStable(history: History): string[] {
  const reads = byPartition(history.reads);
  return history.finalLogs.flatMap((log) => {
    const found = new Set(log.reads.map(({ offset }) => offset));
    return (reads.get(partitionOf(log)) ?? [])
      .filter((read) => read.offset >= log.startOffset && history.isBinding(read))
      .filter((read) => !found.has(read.offset))
      .map(
        ({ reader, sendId, offset }) =>
          `${reader} has read record ${sendId} at offset ${offset} of ${partitionOf(log)}, which is not there any more`,
      );
  });
}
