import { CorruptError } from '../codec/reader.ts';
import { type LeaderEpoch, leaderEpoch } from '../model/ids.ts';
import { type Configuration, NO_CONFIGURATION } from '../raft/configuration.ts';
import type { Entry, Position, SnapshotMeta } from '../raft/entry.ts';
import type { Append, RaftMessage } from '../raft/messages.ts';
import {
  bool,
  bytes,
  type Field,
  type Fields,
  int32,
  int64,
  MessageTable,
  message,
  optional,
  repeated,
} from '../rpc/message-table.ts';
import { configurationTable } from './member-tables.ts';

/** A message of Raft as it travels: the number of its field in the frame says its kind. */
export type RaftParts = { readonly [Kind in RaftMessage['kind']]: Parts<Kind> | undefined };

type Parts<Kind extends RaftMessage['kind']> = Kind extends 'append'
  ? AppendParts
  : Omit<Extract<RaftMessage, { kind: Kind }>, 'kind'>;

type AppendParts = Omit<Append, 'kind' | 'entries'> & { readonly entries: readonly EntryParts[] };

/** An entry without its index, which is one more than that of the entry before it. */
interface EntryParts {
  readonly epoch: LeaderEpoch;
  readonly kind: number;
  readonly command: Uint8Array;
  readonly configuration: Configuration | undefined;
}

const EMPTY = 0;
const COMMAND = 1;
const CONFIGURATION = 2;
const NO_BYTES = new Uint8Array(0);

const epoch = (number: number): Field<LeaderEpoch> => int32(number, leaderEpoch);

const positionTable = new MessageTable<Position>({ index: int64(1), epoch: epoch(2) });

const snapshotTable = new MessageTable<SnapshotMeta>({
  last: message(1, positionTable),
  configuration: message(2, configurationTable),
  configurationIndex: int64(3),
});

const entryTable = new MessageTable<EntryParts>({
  epoch: epoch(1),
  kind: int32(2),
  command: bytes(3),
  configuration: optional(4, configurationTable),
});

const kind = <Kind extends RaftMessage['kind']>(
  number: number,
  fields: Fields<Parts<Kind>>,
): Field<Parts<Kind> | undefined> => optional(number, new MessageTable<Parts<Kind>>(fields));

/** What a frame holds of Raft (`Frame` in the proto). */
export const raftFields: Fields<RaftParts> = {
  vote: kind<'vote'>(3, {
    epoch: epoch(1),
    isPreVote: bool(2),
    isTransfer: bool(3),
    last: message(4, positionTable),
  }),
  'vote-answer': kind<'vote-answer'>(4, {
    epoch: epoch(1),
    isPreVote: bool(2),
    isGranted: bool(3),
  }),
  append: kind<'append'>(5, {
    epoch: epoch(1),
    prev: message(2, positionTable),
    entries: repeated(3, entryTable),
    commitIndex: int64(4),
  }),
  'append-answer': kind<'append-answer'>(6, { epoch: epoch(1), matchIndex: int64(2) }),
  'append-refusal': kind<'append-refusal'>(7, {
    epoch: epoch(1),
    prevIndex: int64(2),
    hint: message(3, positionTable),
  }),
  heartbeat: kind<'heartbeat'>(8, { epoch: epoch(1), commitIndex: int64(2), round: int64(3) }),
  'heartbeat-answer': kind<'heartbeat-answer'>(9, { epoch: epoch(1), round: int64(2) }),
  'snapshot-chunk': kind<'snapshot-chunk'>(10, {
    epoch: epoch(1),
    snapshot: message(2, snapshotTable),
    offset: int64(3),
    bytes: bytes(4),
    isLast: bool(5),
  }),
  'snapshot-answer': kind<'snapshot-answer'>(11, {
    epoch: epoch(1),
    snapshotIndex: int64(2),
    nextOffset: int64(3),
  }),
  'timeout-now': kind<'timeout-now'>(12, { epoch: epoch(1) }),
};

const kinds = Object.keys(raftFields) as RaftMessage['kind'][];

export const NO_RAFT_PARTS: RaftParts = Object.fromEntries(
  kinds.map((name) => [name, undefined]),
) as unknown as RaftParts;

export function toRaftParts(sent: RaftMessage): Partial<RaftParts> {
  if (sent.kind !== 'append') return { [sent.kind]: sent };
  return { append: { ...sent, entries: sent.entries.map(toEntryParts) } };
}

/** @throws CorruptError for entries that are none */
export function fromRaftParts(parts: RaftParts): RaftMessage | undefined {
  const { append } = parts;
  if (append !== undefined) {
    const { index } = append.prev;
    const entries = append.entries.map((entry, i) => fromEntryParts(entry, index + 1 + i));
    return { kind: 'append', ...append, entries };
  }
  const found = kinds.find((name) => parts[name] !== undefined);
  return found === undefined ? undefined : ({ kind: found, ...parts[found] } as RaftMessage);
}

function toEntryParts(entry: Entry): EntryParts {
  const common = { epoch: entry.epoch, command: NO_BYTES, configuration: undefined };
  switch (entry.kind) {
    case 'empty':
      return { ...common, kind: EMPTY };
    case 'command':
      return { ...common, kind: COMMAND, command: entry.bytes };
    case 'configuration':
      return { ...common, kind: CONFIGURATION, configuration: entry.configuration };
  }
}

function fromEntryParts(parts: EntryParts, index: number): Entry {
  const { epoch, kind, command, configuration = NO_CONFIGURATION } = parts;
  if (kind === EMPTY) return { kind: 'empty', index, epoch };
  if (kind === COMMAND) return { kind: 'command', index, epoch, bytes: command };
  if (kind === CONFIGURATION) return { kind: 'configuration', index, epoch, configuration };
  throw new CorruptError(`entry ${index} is of kind ${kind}, which is not known`);
}
