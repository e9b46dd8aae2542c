import type { History } from '../history.ts';
import { acknowledgedRecordsStay } from './acknowledged-records-stay.ts';
import { brokerDoesNotComplain } from './broker-does-not-complain.ts';
import { cleanStopIsQuickToStart } from './clean-stop-is-quick-to-start.ts';
import { diskIsSound } from './disk-is-sound.ts';
import { marksAreMonotone } from './marks-are-monotone.ts';
import { metadataStays } from './metadata-stays.ts';
import { nothingIsInvented } from './nothing-is-invented.ts';
import { offsetsAreDense } from './offsets-are-dense.ts';
import { oneValuePerOffset } from './one-value-per-offset.ts';
import { orderIsKept } from './order-is-kept.ts';
import { producerIdsAreUnique } from './producer-ids-are-unique.ts';
import { readsAreStable } from './reads-are-stable.ts';

/** Says what in a history breaks one invariant. */
export type Checker = (history: History) => string[];

export const checkers: readonly Checker[] = [
  acknowledgedRecordsStay,
  nothingIsInvented,
  oneValuePerOffset,
  readsAreStable,
  offsetsAreDense,
  orderIsKept,
  marksAreMonotone,
  producerIdsAreUnique,
  metadataStays,
  brokerDoesNotComplain,
  cleanStopIsQuickToStart,
  diskIsSound,
];

export interface Violation {
  /** Name of the checker. */
  readonly checker: string;
  readonly problem: string;
}

/** What all checkers find. */
export const violationsOf = (history: History): Violation[] =>
  checkers.flatMap((check) => check(history).map((problem) => ({ checker: check.name, problem })));
