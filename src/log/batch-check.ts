import type { BatchView } from '../records/batch-view.ts';
import type { LeaderEpochs } from './leader-epochs.ts';

/**
 * What is wrong with the header of a stored batch besides its offset; `null` if nothing is. The
 * checksum of a batch does not cover its leader epoch, so that is compared with what the log knows
 * from elsewhere (DESIGN D19). Throws `CorruptError` for numbers that no batch has.
 */
export function headerProblem(batch: BatchView, epochs: LeaderEpochs | null): string | null {
  const { leaderEpoch, lastOffset } = batch;
  if (!(batch.maxTimestamp >= -1)) return 'the header of a batch is not sound';
  const known = epochs?.epochAt(lastOffset) ?? -1;
  if (known >= 0 && leaderEpoch !== known) {
    return `a batch of leader epoch ${leaderEpoch} where ${known} is known`;
  }
  return null;
}
