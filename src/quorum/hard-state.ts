import { type ByteReader, CorruptError, corruptIfBroken } from '../codec/reader.ts';
import type { ByteWriter } from '../codec/writer.ts';
import { leaderEpoch, type NodeId, nodeId } from '../model/ids.ts';
import type { Member } from '../raft/configuration.ts';
import type { HardState, Position } from '../raft/entry.ts';
import { writeMember } from './configuration-codec.ts';

/** What a voter must never forget, and how far its store reaches. */
export interface StoredHardState extends HardState {
  /** How many batches were written to the store, this one included. Never falls, whatever is cut off. */
  readonly batch: number;
  /** The end of the log, or of the snapshot if nothing follows it. */
  readonly last: Position;
  /**
   * From this index on the log was changed by batches that the file did not vouch for when this one was
   * written; 0 if the snapshot was, too.
   */
  readonly changedFrom: number;
}

/** The state of a voter that has never voted nor stored anything. */
export const INITIAL_HARD_STATE: StoredHardState = {
  epoch: leaderEpoch(0),
  votedFor: null,
  batch: 0,
  last: { index: 0, epoch: leaderEpoch(0) },
  changedFrom: 1,
};

/** Where an epoch stands in the older format; so both can be told apart. */
const FORMAT = -2;
const NOBODY = -1;
/** In the older format a vote is for the only voter: the node itself, whose directory is not named. */
const ONLY_VOTER = '';

/** A vote in the older format. */
export const isForOnlyVoter = (votedFor: Member | null): boolean =>
  votedFor?.directoryId === ONLY_VOTER;

/**
 *     format int32 (-2) | epoch int32 | batch int64 | last index int64 | its epoch int32 |
 *     changed from int64 | voted for: member, or int32 -1
 *
 * The format before Raft, which is read and never written, had 24 bytes:
 *
 *     epoch int32 | voted for int32 (-1: nobody) | commit index int64 | last index int64
 */
export function writeHardState(out: ByteWriter, state: StoredHardState): void {
  out.int32(FORMAT);
  out.int32(state.epoch);
  out.int64(state.batch);
  out.int64(state.last.index);
  out.int32(state.last.epoch);
  out.int64(state.changedFrom);
  if (state.votedFor === null) out.int32(NOBODY);
  else writeMember(out, state.votedFor);
}

/** @throws CorruptError if it is neither format */
export const readHardState = (reader: ByteReader): StoredHardState =>
  corruptIfBroken(() => {
    const first = reader.int32();
    if (first >= 0) return readOlder(reader, first);
    if (first !== FORMAT) throw new CorruptError(`format ${first} of the hard state is not known`);
    const epoch = leaderEpoch(reader.int32());
    const batch = reader.int64();
    const last = { index: reader.int64(), epoch: leaderEpoch(reader.int32()) };
    const changedFrom = reader.int64();
    return { epoch, batch, last, changedFrom, votedFor: readVote(reader) };
  });

function readVote(reader: ByteReader): Member | null {
  const id = reader.int32();
  if (id === NOBODY) return null;
  const votedFor = { id: nodeId(id), directoryId: reader.utf8(reader.int16()) };
  if (isForOnlyVoter(votedFor)) throw new CorruptError('a vote names no directory');
  return votedFor;
}

/**
 * Each batch of the only voter brought entries of its own epoch, and no log was ever cut: so the index
 * of its last entry numbers a batch as well.
 */
function readOlder(reader: ByteReader, epochNumber: number): StoredHardState {
  const epoch = leaderEpoch(epochNumber);
  const votedFor = reader.int32();
  reader.int64();
  const index = reader.int64();
  return {
    epoch,
    votedFor: votedFor === NOBODY ? null : onlyVoter(nodeId(votedFor)),
    batch: index,
    last: { index, epoch },
    changedFrom: index + 1,
  };
}

const onlyVoter = (id: NodeId): Member => ({ id, directoryId: ONLY_VOTER });
