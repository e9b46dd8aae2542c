import type { Configuration, Member } from '../../../src/raft/configuration.ts';
import type { RaftEffect } from '../../../src/raft/effects.ts';
import type { Entry, Position, SnapshotMeta } from '../../../src/raft/entry.ts';
import type { RaftMessage } from '../../../src/raft/messages.ts';

/** What happens in a cluster, one line each. An entry is `index/epoch`, an epoch `e2`. */

/** Nodes by id; those of a second disk under an id get the end of their directory's name. */
export const nameOf = ({ id, directoryId }: Member): string =>
  directoryId === `d${id}` ? `${id}` : `${id}(${directoryId})`;

const position = ({ index, epoch }: Position): string => `${index}/${epoch}`;

export function describeConfiguration({ voters, learners }: Configuration): string {
  const names = (members: readonly Member[]) => members.map(nameOf).join(',');
  return `voters ${names(voters)}${learners.length > 0 ? ` learners ${names(learners)}` : ''}`;
}

export function describeEntry(entry: Entry): string {
  switch (entry.kind) {
    case 'command':
      return `${position(entry)} ${Buffer.from(entry.bytes).toString()}`;
    case 'configuration':
      return `${position(entry)} ${describeConfiguration(entry.configuration)}`;
    case 'empty':
      return `${position(entry)} empty`;
  }
}

const describeEntries = (entries: readonly Entry[]): string =>
  `[${entries.map(describeEntry).join(', ')}]`;

const describeSnapshot = ({ last, configuration }: SnapshotMeta): string =>
  `snapshot ${position(last)} (${describeConfiguration(configuration)})`;

export function describeMessage(message: RaftMessage): string {
  const epoch = `e${message.epoch}`;
  switch (message.kind) {
    case 'vote': {
      const transfer = message.isTransfer ? ' asked by the leader' : '';
      return `${message.isPreVote ? 'pre-vote' : 'vote'} ${epoch} last ${position(message.last)}${transfer}`;
    }
    case 'vote-answer':
      return `${message.isPreVote ? 'pre-' : ''}vote-answer ${epoch} ${message.isGranted ? 'granted' : 'refused'}`;
    case 'append':
      return `append ${epoch} after ${position(message.prev)} ${describeEntries(message.entries)} commit ${message.commitIndex}`;
    case 'append-answer':
      return `append-answer ${epoch} match ${message.matchIndex}`;
    case 'append-refusal':
      return `append-refusal ${epoch} of ${message.prevIndex} hint ${position(message.hint)}`;
    case 'heartbeat':
      return `heartbeat ${epoch} commit ${message.commitIndex} round ${message.round}`;
    case 'heartbeat-answer':
      return `heartbeat-answer ${epoch} round ${message.round}`;
    case 'snapshot-chunk':
      return `snapshot-chunk ${epoch} ${describeSnapshot(message.snapshot)} bytes ${message.offset}+${message.bytes.length}${message.isLast ? ' last' : ''}`;
    case 'snapshot-answer':
      return `snapshot-answer ${epoch} snapshot ${message.snapshotIndex} next ${message.nextOffset}`;
    case 'timeout-now':
      return `timeout-now ${epoch}`;
  }
}

export function describeEffect(effect: RaftEffect): string {
  switch (effect.kind) {
    case 'persist': {
      const { sequence, hardState, truncateFrom, entries, chunk } = effect;
      const vote = hardState?.votedFor ? ` voted ${nameOf(hardState.votedFor)}` : '';
      return [
        `write #${sequence}:`,
        ...(hardState === null ? [] : [`e${hardState.epoch}${vote}`]),
        ...(truncateFrom === null ? [] : [`cut from ${truncateFrom}`]),
        ...(entries.length === 0 ? [] : [describeEntries(entries)]),
        ...(chunk === null
          ? []
          : [
              `piece of ${describeSnapshot(chunk.snapshot)} ${chunk.offset}+${chunk.bytes.length}${chunk.isLast ? ' last' : ''}`,
            ]),
      ].join(' ');
    }
    case 'send':
      return `→ ${nameOf(effect.to)} ${describeMessage(effect.message)}`;
    case 'apply':
      return `apply ${describeEntries(effect.entries)}`;
    case 'restore':
      return `restore ${describeSnapshot(effect.snapshot)}`;
    case 'forget':
      return `forget through ${effect.throughIndex}`;
    case 'read-ready':
      return `read ${effect.requestId} may be answered from ${effect.index} on`;
    case 'read-failed':
      return `read ${effect.requestId} failed`;
    case 'load-chunk':
      return `load for ${nameOf(effect.to)}: ${describeSnapshot(effect.snapshot)} from ${effect.offset}`;
    case 'became': {
      const leader = effect.leader === null ? 'nobody' : nameOf(effect.leader);
      return `is ${effect.role} in e${effect.epoch}${effect.role === 'follower' ? ` of ${leader}` : ''}`;
    }
    case 'transfer-given-up':
      return `gives up the transfer to ${nameOf(effect.to)}`;
    case 'ignored':
      return `ignores ${nameOf(effect.from)}: ${effect.reason}`;
  }
}
