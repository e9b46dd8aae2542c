import type { ByteReader } from '../codec/reader.ts';
import type { ByteWriter } from '../codec/writer.ts';
import { type LeaderEpoch, leaderEpoch, type NodeId, nodeId } from '../model/ids.ts';

/** What a voter must never forget (Raft's persistent state). */
export interface HardState {
  /** Highest epoch that this voter has seen. */
  readonly epoch: LeaderEpoch;
  /** Whom it voted for in that epoch. */
  readonly votedFor: NodeId | null;
  /** Every entry up to this index is committed. */
  readonly commitIndex: number;
  /** Index of the last entry that is durable; `commitIndex <= lastIndex`. */
  readonly lastIndex: number;
}

/** The state of a voter that has never voted nor stored anything. */
export const INITIAL_HARD_STATE: HardState = {
  epoch: leaderEpoch(0),
  votedFor: null,
  commitIndex: 0,
  lastIndex: 0,
};

const NOBODY = -1;

/** `epoch int32 | voted for int32 (-1: nobody) | commit index int64 | last index int64`: 24 bytes. */
export function writeHardState(out: ByteWriter, state: HardState): void {
  out.int32(state.epoch);
  out.int32(state.votedFor ?? NOBODY);
  out.int64(state.commitIndex);
  out.int64(state.lastIndex);
}

export function readHardState(reader: ByteReader): HardState {
  const epoch = leaderEpoch(reader.int32());
  const votedFor = reader.int32();
  return {
    epoch,
    votedFor: votedFor === NOBODY ? null : nodeId(votedFor),
    commitIndex: reader.int64(),
    lastIndex: reader.int64(),
  };
}
