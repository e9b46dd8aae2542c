import { isVoter, sameMember } from '../../../src/raft/configuration.ts';
import type { Entry, SnapshotMeta } from '../../../src/raft/entry.ts';
import { majorityOf } from '../../../src/raft/majority.ts';
import type { RaftMessage } from '../../../src/raft/messages.ts';
import { describeConfiguration, describeEntry, nameOf } from './describe.ts';
import { historyOf, keyOf, type Ledger, type Observation } from './ledger.ts';

/** Says what in a call breaks one invariant (reference F1 to F13), and writes down what the next will need. */
export type RaftChecker = (seen: Observation) => string[];

const sent = ({ effects }: Observation): RaftMessage[] =>
  effects.flatMap((effect) => (effect.kind === 'send' ? [effect.message] : []));

/** F1: an epoch has one leader, and nobody else speaks as it. */
export const electionSafety: RaftChecker = (seen) => {
  const { machine, after, ledger } = seen;
  const epochs = sent(seen)
    .filter(({ kind }) => kind === 'append' || kind === 'heartbeat' || kind === 'snapshot-chunk')
    .map(({ epoch }) => epoch);
  if (after.role === 'leader') epochs.push(after.epoch);
  return [...new Set(epochs)].flatMap((epoch) => {
    const leader = ledger.leaders.get(epoch);
    if (leader === undefined) ledger.leaders.set(epoch, keyOf(machine));
    return leader === undefined || leader === keyOf(machine)
      ? []
      : [`${leader} and ${keyOf(machine)} lead epoch ${epoch}`];
  });
};

/** F2: a leader only appends, and only entries of its epoch. */
export const leaderAppendOnly: RaftChecker = ({ before, after, effects, machine }) => {
  if (before.role !== 'leader' || after.role !== 'leader' || before.epoch !== after.epoch)
    return [];
  return effects.flatMap((effect) => {
    if (effect.kind !== 'persist') return [];
    const isOwn = effect.entries.every(({ epoch }) => epoch === after.epoch);
    if (effect.truncateFrom === null && effect.chunk === null && isOwn) return [];
    return [`leader ${keyOf(machine)} rewrites its log`];
  });
};

/** F3: index and epoch name one entry, and all that is before it. */
export const logMatching: RaftChecker = ({ machine, effects, ledger }) =>
  effects.flatMap((effect) => {
    if (effect.kind !== 'persist') return [];
    return effect.entries.flatMap((entry) => {
      // Cut off again within the same call: not seen by anybody.
      if (machine.entryAt(entry.index) !== entry) return [];
      const name = `${entry.index}/${entry.epoch}`;
      const history = historyOf(machine, entry);
      const known = ledger.entries.get(name);
      if (known === undefined) ledger.entries.set(name, history);
      return known === undefined || known === history
        ? []
        : [`${name} is "${known}" and, on ${keyOf(machine)}, "${history}"`];
    });
  });

/** F4: who leads has all that was committed in older epochs; one that is elected late may lead an epoch that is over. */
export const leaderCompleteness: RaftChecker = ({ machine, before, after, ledger }) => {
  if (after.role !== 'leader' || (before.role === 'leader' && before.epoch === after.epoch)) {
    return [];
  }
  return ledger.committed.flatMap((entry) => {
    if (entry === undefined || entry.index <= machine.base.index) return [];
    if (ledger.committedIn[entry.index]! >= after.epoch) return [];
    return machine.epochAt(entry.index) === entry.epoch
      ? []
      : [`leader ${keyOf(machine)} of epoch ${after.epoch} lacks ${describeEntry(entry)}`];
  });
};

/** F5: at an index all take the same entry for committed. Applying in order is asserted by the machine. */
export const stateMachineSafety: RaftChecker = ({ machine, before, after, effects, ledger }) => {
  const claimed: Entry[] = [];
  for (let index = before.commitIndex + 1; index <= after.commitIndex; index++) {
    const entry = machine.entryAt(index);
    if (entry !== undefined) claimed.push(entry);
  }
  for (const effect of effects) if (effect.kind === 'apply') claimed.push(...effect.entries);
  ledger.committedIndex = Math.max(ledger.committedIndex, after.commitIndex);
  return claimed.flatMap((entry) => {
    const known = ledger.committed[entry.index];
    if (known === undefined) {
      ledger.committed[entry.index] = entry;
      ledger.committedIn[entry.index] = after.epoch;
    }
    return known === undefined || describeEntry(known) === describeEntry(entry)
      ? []
      : [
          `${describeEntry(known)} was committed, ${keyOf(machine)} commits ${describeEntry(entry)}`,
        ];
  });
};

/** F6: one vote an epoch, whatever happens between. */
export const oneVoteAnEpoch: RaftChecker = ({ machine, effects, ledger }) =>
  effects.flatMap((effect) => {
    if (effect.kind !== 'send') return [];
    const { message, to } = effect;
    const isVote = message.kind === 'vote-answer' && message.isGranted && !message.isPreVote;
    const isOwn = message.kind === 'vote' && !message.isPreVote;
    if (!isVote && !isOwn) return [];
    const candidate = isVote ? nameOf(to) : keyOf(machine);
    const ballot = `${keyOf(machine)} in epoch ${message.epoch}`;
    const known = ledger.votes.get(ballot);
    if (known === undefined) ledger.votes.set(ballot, candidate);
    return known === undefined || known === candidate
      ? []
      : [`${ballot} votes for ${known} and for ${candidate}`];
  });

/** F6: an epoch never falls, nor does a vote change within it. */
export const epochNeverFalls: RaftChecker = ({ machine, before, after }) => {
  if (after.epoch < before.epoch) return [`${keyOf(machine)}: ${before.epoch} to ${after.epoch}`];
  const isChanged =
    after.epoch === before.epoch &&
    before.votedFor !== null &&
    (after.votedFor === null || !sameMember(before.votedFor, after.votedFor));
  return isChanged ? [`${keyOf(machine)} takes its vote of epoch ${after.epoch} back`] : [];
};

/** F7: only entries of the leader's own epoch are committed by counting, and a majority has them durably. */
export const commitIsOnMajority: RaftChecker = ({ machine, machines, before, after }) => {
  const isLeading = before.role === 'leader' && before.epoch === after.epoch;
  if (!isLeading || after.commitIndex <= before.commitIndex) return [];
  const epoch = machine.epochAt(after.commitIndex);
  const name = `${after.commitIndex}/${epoch}`;
  if (epoch !== after.epoch) return [`leader of epoch ${after.epoch} commits ${name} by counting`];
  const { voters } = before.configuration;
  const holders = machines.filter(
    ({ member, disk }) =>
      isVoter(before.configuration, member) && disk.has(after.commitIndex, after.epoch),
  );
  return holders.length >= majorityOf(voters.length)
    ? []
    : [`${name} is committed, durable on ${holders.length} of ${voters.length}`];
};

/** F8: what is committed stays so, and is in the log. */
export const commitNeverFalls: RaftChecker = ({ machine, before, after }) => {
  const { commitIndex, last } = after;
  const isFine = commitIndex >= before.commitIndex && commitIndex <= last.index;
  return isFine
    ? []
    : [`${keyOf(machine)}: commit ${before.commitIndex} to ${commitIndex}, log to ${last.index}`];
};

/** F9: one voter at a time, one change at a time, and none before an entry of the epoch is committed. */
export const configurationsOverlap: RaftChecker = ({ machine, before, after, effects }) => {
  if (before.role !== 'leader') return [];
  return effects.flatMap((effect) => {
    if (effect.kind !== 'persist') return [];
    return effect.entries.flatMap((entry) => {
      if (entry.kind !== 'configuration' || entry.epoch !== before.epoch) return [];
      const old = before.configuration;
      const joined = entry.configuration.voters.filter((voter) => !isVoter(old, voter));
      const left = old.voters.filter((voter) => !isVoter(entry.configuration, voter));
      const name = `${describeConfiguration(old)} to ${describeConfiguration(entry.configuration)}`;
      if (joined.length + left.length > 1) return [`more than one voter at a time: ${name}`];
      if (before.configurationIndex > before.commitIndex) return [`two open changes: ${name}`];
      if (machine.epochAt(before.commitIndex) === after.epoch) return [];
      return [`nothing is committed in epoch ${after.epoch}: ${name}`];
    });
  });
};

/** F10: a read sees all that was committed when it came. */
export const readsAreLinearizable: RaftChecker = ({ effects, ledger }) =>
  effects.flatMap((effect) => {
    if (effect.kind !== 'read-ready') return [];
    const committed = ledger.reads.get(effect.requestId)!;
    return effect.index >= committed
      ? []
      : [`read ${effect.requestId} sees ${effect.index}, ${committed} was committed before it`];
  });

/** F11: a snapshot is the fold of what is before it, with the members as of there; leaders load none. */
export const snapshotsAreFolds: RaftChecker = ({ machine, before, effects, ledger }) => {
  const metas = effects.flatMap((effect): SnapshotMeta[] => {
    if (effect.kind === 'restore') return [effect.snapshot];
    return effect.kind === 'forget' ? [machine.disk.snapshot!.meta] : [];
  });
  const problems = metas.flatMap((meta) => {
    const known = ledger.committed.slice(0, meta.last.index + 1);
    const isFold =
      commandsOf(known).join() === machine.state.slice(0, commandsOf(known).length).join();
    const change = known.findLast((entry) => entry?.kind === 'configuration');
    const members = describeConfiguration(meta.configuration);
    const isTold =
      change?.kind === 'configuration'
        ? describeConfiguration(change.configuration) === members
        : meta.configuration.voters.length > 0;
    const name = `the snapshot of ${keyOf(machine)} at ${meta.last.index}`;
    return [
      ...(isFold ? [] : [`${name} is not what was committed`]),
      ...(isTold ? [] : [`${name} has other members: ${members}`]),
      ...(meta.last.epoch === known.at(-1)?.epoch ? [] : [`${name} is of another epoch`]),
    ];
  });
  const isLeading = before.role === 'leader' && effects.some(({ kind }) => kind === 'restore');
  return isLeading ? [...problems, `leader ${keyOf(machine)} loads a snapshot`] : problems;
};

export const commandsOf = (entries: readonly (Entry | undefined)[]): string[] =>
  entries.flatMap((entry) =>
    entry?.kind === 'command' ? [`${entry.index} ${Buffer.from(entry.bytes).toString()}`] : [],
  );

/** F12: what others count on is durable when it leaves. */
export const persistBeforeSend: RaftChecker = (seen) => {
  const { machine, machines, effects } = seen;
  const { hardState } = machine.disk;
  return effects.flatMap((effect) => {
    if (effect.kind !== 'send') return [];
    const { message, to } = effect;
    const name = `${keyOf(machine)} sends ${message.kind} ${message.epoch}`;
    if (message.kind === 'vote' && !message.isPreVote) {
      const isKept = hardState.epoch >= message.epoch;
      return isKept ? [] : [`${name} before its own vote is durable`];
    }
    if (message.kind === 'vote-answer' && message.isGranted && !message.isPreVote) {
      const { epoch, votedFor } = hardState;
      const isKept = epoch === message.epoch && votedFor !== null && sameMember(votedFor, to);
      return isKept ? [] : [`${name} before the vote is durable`];
    }
    if (message.kind !== 'append-answer') return [];
    // Entries of that index are committed or the leader's, so its log tells which one is meant.
    const leader = machines.find(({ member }) => sameMember(member, to));
    const epoch = leader?.isUp ? leader.epochAt(message.matchIndex) : undefined;
    const isLeading = leader?.isUp && leader.node.status.epoch === message.epoch;
    if (!isLeading || epoch === undefined) return [];
    const isKept = machine.disk.has(message.matchIndex, epoch) && hardState.epoch >= message.epoch;
    return isKept ? [] : [`${name} before ${message.matchIndex}/${epoch} is durable`];
  });
};

/** What a state machine has is durable on its own disk: it may be asked to make a snapshot of it. */
export const appliedIsDurable: RaftChecker = ({ machine, effects }) =>
  effects.flatMap((effect) => {
    if (effect.kind !== 'apply') return [];
    const lost = effect.entries.find(({ index, epoch }) => !machine.disk.has(index, epoch));
    if (lost === undefined) return [];
    return [`${keyOf(machine)} applies ${describeEntry(lost)} before it is durable there`];
  });

/** Nobody who works is taken for broken. */
export const nobodySendsTheImpossible: RaftChecker = ({ machine, effects }) =>
  effects.flatMap((effect) =>
    effect.kind === 'ignored' && effect.reason === 'impossible'
      ? [`${keyOf(machine)} takes a message of ${nameOf(effect.from)} for impossible`]
      : [],
  );

export const raftCheckers: readonly RaftChecker[] = [
  electionSafety,
  leaderAppendOnly,
  logMatching,
  leaderCompleteness,
  stateMachineSafety,
  oneVoteAnEpoch,
  epochNeverFalls,
  commitIsOnMajority,
  commitNeverFalls,
  configurationsOverlap,
  readsAreLinearizable,
  snapshotsAreFolds,
  persistBeforeSend,
  appliedIsDurable,
  nobodySendsTheImpossible,
];

/** Nothing that a client was told is missing in a state that has come as far. */
export function acknowledgedStays(
  { acknowledged }: Ledger,
  states: readonly Set<string>[],
): string[] {
  return commandsOf(acknowledged).flatMap((command) =>
    states.every((state) => state.has(command))
      ? []
      : [`"${command}" was acknowledged and is gone`],
  );
}
