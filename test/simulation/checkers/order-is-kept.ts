import { byPartition, type FinalLog, type History, partitionOf, type Send } from '../history.ts';

/**
 * C4, C5 and I1: in a log no record stands twice, those of one producer stand in the order in which
 * they were sent, and what was acknowledged before something else was sent stands before it.
 */
export function orderIsKept(history: History): string[] {
  return [...history.finalLogs.flatMap((log) => orderInLog(history, log)), ...orderInTime(history)];
}

function orderInLog(history: History, log: FinalLog): string[] {
  const problems: string[] = [];
  const places = new Map<number, number>();
  const newest = new Map<string, number>();
  for (const { sendId, offset } of log.reads) {
    const send = history.sends[sendId];
    if (send === undefined) continue;
    const before = places.get(sendId);
    if (before !== undefined) {
      problems.push(`record ${sendId} is in ${partitionOf(log)} at ${before} and at ${offset}`);
      continue;
    }
    places.set(sendId, offset);
    // Numbers of sends rise with time.
    const previous = newest.get(send.producer) ?? -1;
    if (previous > sendId) {
      problems.push(
        `${send.producer} sent record ${sendId} before ${previous}, but in ${partitionOf(log)} it stands behind it, at ${offset}`,
      );
    }
    newest.set(send.producer, Math.max(previous, sendId));
  }
  return problems;
}

function orderInTime(history: History): string[] {
  const problems: string[] = [];
  const acknowledged = history.sends.filter((send) => send.outcome === 'ok');
  for (const [partition, sends] of byPartition(acknowledged)) {
    const isDurable = history.topicOf(sends[0]!).durability === 'durable';
    const eras = isDurable ? [sends] : Object.values(Object.groupBy(sends, ({ era }) => era));
    for (const era of eras) problems.push(...swaps(partition, era!));
  }
  return problems;
}

function swaps(partition: string, sends: readonly Send[]): string[] {
  const problems: string[] = [];
  const settled = sends.toSorted((a, b) => a.settledMs - b.settledMs);
  let count = 0;
  let newest: Send | undefined;
  for (const send of sends.toSorted((a, b) => a.invokedMs - b.invokedMs)) {
    for (let next = settled[count]; next !== undefined && next.settledMs < send.invokedMs; ) {
      if (newest === undefined || next.offset > newest.offset) newest = next;
      next = settled[++count];
    }
    if (newest !== undefined && newest.offset >= send.offset) {
      problems.push(
        `record ${newest.id} was acknowledged at offset ${newest.offset} of ${partition} before record ${send.id} was sent, which got ${send.offset}`,
      );
    }
  }
  return problems;
}
