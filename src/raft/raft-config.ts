import { assert } from '../model/assert.ts';

/** How a node behaves. The same on all nodes of a cluster, as far as ticks go. */
export interface RaftConfig {
  /**
   * Shortest election timeout in ticks. A follower waits this long to twice as long, by chance. A
   * leader that has not heard from a majority for as long resigns; while a leader was heard of
   * within it nobody else is voted for. Several times `heartbeatTicks`.
   */
  readonly electionTicks: number;
  /** Ticks between two heartbeats of a leader. */
  readonly heartbeatTicks: number;
  /** Most bytes of entries in one message; an entry that is larger goes alone. Also of a piece of a snapshot. */
  readonly messageBytesMax: number;
  /** Messages with entries that a follower may leave unanswered. */
  readonly inFlightMessagesMax: number;
  /** Bytes of entries that a follower may leave unanswered; one message may go beyond. */
  readonly inFlightBytesMax: number;
  /** Bytes of entries of a leader that are not committed; more are refused. One proposal may go beyond. */
  readonly uncommittedBytesMax: number;
  /** Entries before a snapshot that are kept in memory, so that slow followers need no snapshot. */
  readonly entriesKept: number;
}

export const DEFAULT_RAFT_CONFIG: RaftConfig = {
  electionTicks: 10,
  heartbeatTicks: 2,
  messageBytesMax: 1024 * 1024,
  inFlightMessagesMax: 64,
  inFlightBytesMax: 8 * 1024 * 1024,
  uncommittedBytesMax: 64 * 1024 * 1024,
  entriesKept: 1_000,
};

/** Holds the settings to their limits: who starts a node has checked what people wrote. */
export function validateRaftConfig(config: RaftConfig): void {
  const isWhole = (value: number, least: number) => Number.isSafeInteger(value) && value >= least;
  assert(isWhole(config.heartbeatTicks, 1), 'heartbeatTicks is a whole number from 1');
  assert(
    isWhole(config.electionTicks, 2 * config.heartbeatTicks),
    'electionTicks is a whole number, at least twice heartbeatTicks',
  );
  assert(isWhole(config.messageBytesMax, 1), 'messageBytesMax is a whole number from 1');
  assert(isWhole(config.inFlightMessagesMax, 1), 'inFlightMessagesMax is a whole number from 1');
  assert(isWhole(config.inFlightBytesMax, 1), 'inFlightBytesMax is a whole number from 1');
  assert(isWhole(config.uncommittedBytesMax, 1), 'uncommittedBytesMax is a whole number from 1');
  assert(isWhole(config.entriesKept, 0), 'entriesKept is a whole number from 0');
}
