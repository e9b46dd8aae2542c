import { byPartition, type FinalLog, type History, partitionOf } from '../history.ts';

/**
 * C6 and C9: a log has a record at every offset from its start to its end, and every consumer gets
 * them one after another.
 */
export function offsetsAreDense(history: History): string[] {
  return [...history.finalLogs.flatMap(gapsOfLog), ...gapsOfReaders(history)];
}

function gapsOfLog(log: FinalLog): string[] {
  const { startOffset, endOffset, reads } = log;
  const first = reads[0]?.offset ?? endOffset;
  const last = reads.at(-1)?.offset ?? startOffset - 1;
  if (first === startOffset && last === endOffset - 1) return [];
  return [
    `${partitionOf(log)} goes from ${startOffset} to ${endOffset}, and ${first} to ${last} can be read`,
  ];
}

function gapsOfReaders(history: History): string[] {
  const problems: string[] = [];
  for (const [partition, reads] of byPartition(history.reads)) {
    const positions = new Map<string, number>();
    for (const { reader, offset } of reads) {
      const before = positions.get(reader);
      positions.set(reader, offset);
      if (before !== undefined && offset !== before + 1) {
        problems.push(`${reader} was given offset ${offset} of ${partition} after ${before}`);
      }
    }
  }
  return problems;
}
