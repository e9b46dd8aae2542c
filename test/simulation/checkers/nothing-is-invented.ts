import type { History } from '../history.ts';

/**
 * C10: what is read was sent, to that partition, and is as it was sent; and nothing is read of which
 * the producer was told that it is not stored.
 */
export function nothingIsInvented(history: History): string[] {
  const problems: string[] = [];
  for (const read of history.reads) {
    const where = `${read.topic}-${read.partition} at offset ${read.offset}`;
    const send = history.sends[read.sendId];
    if (send === undefined) {
      problems.push(`${where} has a record that nobody sent`);
    } else if (!read.isIntact) {
      problems.push(`${where} has record ${send.id}, but not as it was sent`);
    } else if (send.topic !== read.topic) {
      problems.push(`${where} has record ${send.id}, which was sent to ${send.topic}`);
    } else if (send.outcome === 'failed') {
      problems.push(`${where} has record ${send.id}, which is not stored (${send.error})`);
    } else if (send.invokedMs > read.atMs) {
      problems.push(`${where} has record ${send.id} before it was sent`);
    }
  }
  return problems;
}
