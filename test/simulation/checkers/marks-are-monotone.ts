import { byPartition, type History, type Mark, partitionOf } from '../history.ts';

/**
 * C11: the start and the end that the broker tells of a partition never fall, and the end lies above
 * every record that was acknowledged before it was asked for.
 */
export function marksAreMonotone(history: History): string[] {
  const problems: string[] = [];
  const ends = byPartition(acknowledgedEnds(history));
  for (const [partition, marks] of byPartition(history.marks)) {
    const isDurable = history.topicOf(marks[0]!).durability === 'durable';
    const highest = new Map<string, number>();
    for (const mark of marks) {
      const isLasting = isDurable || mark.kind === 'start';
      const name = isLasting ? mark.kind : `${mark.kind} in era ${mark.era}`;
      const before = highest.get(name) ?? 0;
      if (mark.offset < before) {
        problems.push(`the ${mark.kind} of ${partition} fell from ${before} to ${mark.offset}`);
      }
      highest.set(name, Math.max(before, mark.offset));
    }
    problems.push(...tooLow(marks, ends.get(partition) ?? [], isDurable));
  }
  return problems;
}

interface AcknowledgedEnd {
  readonly topic: string;
  readonly partition: number;
  readonly settledMs: number;
  readonly endOffset: number;
  readonly era: number;
}

function acknowledgedEnds(history: History): AcknowledgedEnd[] {
  return history.sends
    .filter(({ outcome }) => outcome === 'ok')
    .map((send) => ({ ...send, endOffset: send.offset + 1 }))
    .sort((a, b) => a.settledMs - b.settledMs);
}

function tooLow(
  marks: readonly Mark[],
  ends: readonly AcknowledgedEnd[],
  lasting: boolean,
): string[] {
  return marks
    .filter(({ kind }) => kind === 'end')
    .flatMap((mark) => {
      const above = ends.find(
        ({ settledMs, endOffset, era }) =>
          settledMs < mark.invokedMs && endOffset > mark.offset && (lasting || era === mark.era),
      );
      if (above === undefined) return [];
      return [
        `the end of ${partitionOf(mark)} was told as ${mark.offset} after offset ${above.endOffset - 1} was acknowledged`,
      ];
    });
}
