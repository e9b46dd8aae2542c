import type { RaftEffect } from '../../../src/raft/effects.ts';
import type { Entry } from '../../../src/raft/entry.ts';
import type { RaftStatus } from '../../../src/raft/raft-node.ts';
import { describeEntry, nameOf } from './describe.ts';
import type { RaftMachine } from './raft-machine.ts';

/** What everybody has said and done since the cluster was formed. */
export class Ledger {
  /** By epoch, who led or spoke as the leader. */
  readonly leaders = new Map<number, string>();
  /** By voter and epoch, for whom. */
  readonly votes = new Map<string, string>();
  /** Entries by `index/epoch`, with the epoch of the one before. */
  readonly entries = new Map<string, string>();
  /** By index: what somebody took for committed. */
  readonly committed: (Entry | undefined)[] = [undefined];
  /** By index: the epoch of who took it for committed first. */
  readonly committedIn: number[] = [0];
  /** How far anybody's commit index got. */
  committedIndex = 0;
  /** What the proposing leader has applied, so that a client was told. */
  readonly acknowledged: Entry[] = [];
  /** By request, how far was committed when the read came. */
  readonly reads = new Map<number, number>();
}

/** One call of one node. */
export interface Observation {
  readonly machine: RaftMachine;
  readonly machines: readonly RaftMachine[];
  readonly before: RaftStatus;
  readonly after: RaftStatus;
  readonly effects: readonly RaftEffect[];
  readonly ledger: Ledger;
}

export const keyOf = (machine: RaftMachine): string => nameOf(machine.member);

/** The entry and what comes before it: equal for equal entries of equal histories. */
export function historyOf(machine: RaftMachine, entry: Entry): string {
  const before = machine.epochAt(entry.index - 1);
  return `${describeEntry(entry)} after ${before}`;
}
