import type { FinalLog, History, Send } from '../history.ts';

/**
 * C1: after everything has healed, every acknowledged record is read at the offset that was
 * acknowledged, unless it was deleted on request or by retention. A power cut excuses what is only
 * in topics with `durability=replicated`.
 */
export function acknowledgedRecordsStay(history: History): string[] {
  const problems: string[] = [];
  for (const log of history.finalLogs) {
    const found = new Map(log.reads.map(({ offset, sendId }) => [offset, sendId]));
    for (const send of history.sends) {
      if (send.outcome !== 'ok' || send.topic !== log.topic || send.partition !== log.partition) {
        continue;
      }
      if (!history.isBinding(send) || mayBeGone(history, log, send)) continue;
      const instead = found.get(send.offset);
      if (instead === send.id) continue;
      const what = instead === undefined ? 'is not there' : `holds record ${instead}`;
      problems.push(
        `record ${send.id} was acknowledged in ${log.topic}-${log.partition} at offset ${send.offset}, which ${what} (log from ${log.startOffset} to ${log.endOffset})`,
      );
    }
  }
  return [...problems, ...startsTooLate(history)];
}

/** Whether the record lies below the log start, and rightly so. */
function mayBeGone(history: History, log: FinalLog, send: Send): boolean {
  if (send.offset >= log.startOffset) return false;
  if (send.offset < deletedBefore(history, log, () => true)) return true;
  const { expiry } = history.topicOf(log);
  if (expiry === 'never') return false;
  // That enough bytes are left is for the look at the disk.
  if ('beyondBytes' in expiry) return true;
  return send.timestampMs + expiry.afterMs < log.wallMs;
}

/** A deletion that was acknowledged is for good. */
function startsTooLate(history: History): string[] {
  return history.finalLogs.flatMap((log) => {
    const before = deletedBefore(history, log, (outcome) => outcome === 'ok');
    if (log.startOffset >= before) return [];
    return [
      `records of ${log.topic}-${log.partition} before ${before} were deleted, and the log starts at ${log.startOffset} again`,
    ];
  });
}

function deletedBefore(
  history: History,
  log: FinalLog,
  counts: (outcome: string) => boolean,
): number {
  let before = 0;
  for (const deletion of history.deletions) {
    const isHere = deletion.topic === log.topic && deletion.partition === log.partition;
    if (isHere && counts(deletion.outcome)) before = Math.max(before, deletion.beforeOffset);
  }
  return before;
}
