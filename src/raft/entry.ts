import type { LeaderEpoch } from '../model/ids.ts';
import type { Configuration, Member } from './configuration.ts';

/** A place in a log; (index, epoch) names one entry in all logs (log matching, paper 5.3). */
export interface Position {
  readonly index: number;
  readonly epoch: LeaderEpoch;
}

/** Something for the state machine. */
export interface CommandEntry extends Position {
  readonly kind: 'command';
  readonly bytes: Uint8Array;
}

/** The members from here on: the whole list, so that no older entry is needed to read it. */
export interface ConfigurationEntry extends Position {
  readonly kind: 'configuration';
  readonly configuration: Configuration;
}

/** The first entry of an epoch: what is before it can be committed with it (paper 5.4.2, 8). */
export interface EmptyEntry extends Position {
  readonly kind: 'empty';
}

export type Entry = CommandEntry | ConfigurationEntry | EmptyEntry;

/** What a voter must never forget (paper figure 2). */
export interface HardState {
  /** Highest epoch that was seen; never falls. */
  readonly epoch: LeaderEpoch;
  /** Whom this node voted for in `epoch`, by directory: at most one. */
  readonly votedFor: Member | null;
}

/** What a snapshot stands for; the state itself is the driver's. */
export interface SnapshotMeta {
  /** The last entry in it; index 0 and epoch 0 for the empty state in which a cluster was formed. */
  readonly last: Position;
  /** The members as of `last`. */
  readonly configuration: Configuration;
  /** Where that configuration stood in the log; 0 for the first. */
  readonly configurationIndex: number;
}

/** All that was durable when the process ended. */
export interface StoredState {
  readonly hardState: HardState;
  /** `null` on a node that has not heard of any configuration. */
  readonly snapshot: SnapshotMeta | null;
  /** Without a gap, behind the snapshot; older ones are passed over. */
  readonly entries: readonly Entry[];
}

/** What an entry takes beside the bytes of its command, about. */
const ENTRY_OVERHEAD_BYTES = 24;
const MEMBER_BYTES = 40;

/** About as many bytes as the entry takes in a message. */
export function entryBytes(entry: Entry): number {
  switch (entry.kind) {
    case 'command':
      return ENTRY_OVERHEAD_BYTES + entry.bytes.length;
    case 'configuration': {
      const { voters, learners } = entry.configuration;
      return ENTRY_OVERHEAD_BYTES + MEMBER_BYTES * (voters.length + learners.length);
    }
    case 'empty':
      return ENTRY_OVERHEAD_BYTES;
  }
}
