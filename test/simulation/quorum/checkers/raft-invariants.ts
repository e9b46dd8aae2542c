import type { MetadataImage } from '../../../../src/metadata/image.ts';
import type { LoadedMetadata } from '../../../../src/quorum/metadata-store.ts';
import type { StorageBatch } from '../../../../src/quorum/raft-storage.ts';
import { isVoter, type Member, sameMember } from '../../../../src/raft/configuration.ts';
import type { RoleName } from '../../../../src/raft/effects.ts';
import type { Entry, SnapshotMeta } from '../../../../src/raft/entry.ts';
import { majorityOf } from '../../../../src/raft/majority.ts';
import { isFromLeader, type RaftMessage } from '../../../../src/raft/messages.ts';
import type { RaftStatus } from '../../../../src/raft/raft-node.ts';
import { describeConfiguration, nameOf } from '../../raft/describe.ts';
import { contentOf, hashOf, hashOfRecords, type Ledger } from '../ledger.ts';
import type { MirroredLog } from '../mirrored-log.ts';

/** Images are compared at every so many entries, and wherever a snapshot is. */
const COMPARED_EVERY = 32;

/** A node as the checkers see it. */
export interface ObservedNode {
  readonly member: Member;
  /** What is durable there. */
  readonly disk: MirroredLog;
  /** Of the process that runs. */
  readonly role: RoleName;
  readonly epoch: number;
}

/** Gives the name of an invariant (reference F1 to F13) and what broke it. */
export type Report = (checker: string, problem: string) => void;

/** Holds what nodes send, store and apply to what Raft promises. */
export class RaftInvariants {
  readonly ledger: Ledger;
  readonly #nodes: readonly ObservedNode[];
  readonly #report: Report;
  /** Up to here some leader has applied. */
  #countedIndex = 0;

  /** @param nodes all that ever were; grows */
  constructor(ledger: Ledger, nodes: readonly ObservedNode[], report: Report) {
    this.ledger = ledger;
    this.#nodes = nodes;
    this.#report = report;
  }

  /** A process has opened what is on its disk, and knows for certain that this is there. */
  opened(node: ObservedNode, loaded: LoadedMetadata | undefined): void {
    const { disk } = node;
    const { epoch = 0, votedFor = null, last } = loaded?.hardState ?? {};
    const name = nameOf(node.member);
    if (epoch < disk.epoch) this.#report('noVoteForgotten', `${name} forgets epoch ${disk.epoch}`);
    const isVoteKept =
      disk.votedFor === null || (votedFor !== null && sameMember(votedFor, disk.votedFor));
    if (epoch === disk.epoch && !isVoteKept) {
      this.#report('noVoteForgotten', `${name} forgets its vote in epoch ${epoch}`);
    }
    const committed = Math.min(this.ledger.committedIndex, disk.lastIndex);
    const isOnDisk = disk.has(committed, this.ledger.committed[committed]?.epoch ?? 0);
    if (isOnDisk && (last?.index ?? 0) < committed) {
      const problem = `${name} comes back with ${last?.index ?? 0} of ${committed} entries`;
      this.#report('committedStaysOnDisk', problem);
    }
    for (const entry of loaded?.entries ?? []) {
      const known = this.ledger.committed[entry.index];
      if (!isOnDisk || known === undefined || entry.index > committed) continue;
      if (!disk.has(entry.index, known.epoch) || known.epoch === entry.epoch) continue;
      this.#report('committedStaysOnDisk', `${name} comes back with another ${entry.index}`);
    }
  }

  sent({ member, disk }: ObservedNode, to: Member, message: RaftMessage): void {
    const name = nameOf(member);
    if (isFromLeader(message)) this.#leads(name, message.epoch);
    const isVote = message.kind === 'vote' && !message.isPreVote;
    const isGrant = message.kind === 'vote-answer' && message.isGranted && !message.isPreVote;
    if (isVote || isGrant) {
      const candidate = isGrant ? to : member;
      this.#votes(name, message.epoch, nameOf(candidate));
      const isKept =
        disk.epoch > message.epoch ||
        (disk.epoch === message.epoch &&
          disk.votedFor !== null &&
          sameMember(disk.votedFor, candidate));
      if (!isKept) this.#report('durableBeforeSent', `${name}: vote in ${message.epoch}`);
    }
    if (message.kind === 'append-answer' && message.matchIndex > disk.lastIndex) {
      const problem = `${name} acknowledges ${message.matchIndex}, has ${disk.lastIndex}`;
      this.#report('durableBeforeSent', problem);
    }
  }

  /** A batch is given to the storage. */
  storing(node: ObservedNode, { truncateFrom, entries }: StorageBatch): void {
    const { disk, member } = node;
    if (truncateFrom !== null && node.role === 'leader') {
      for (let at = truncateFrom; at <= disk.lastIndex; at++) {
        if (disk.epochAt(at) !== node.epoch) continue;
        const problem = `${nameOf(member)} cuts its own ${at} of epoch ${node.epoch} off`;
        this.#report('leaderAppendOnly', problem);
      }
    }
    if (truncateFrom !== null && truncateFrom <= this.ledger.committedIndex) {
      const known = this.ledger.committed[truncateFrom]!;
      if (disk.epochAt(truncateFrom) === known.epoch) {
        const problem = `${nameOf(member)} cuts off ${contentOf(known)}, which is committed`;
        this.#report('committedStays', problem);
      }
    }
    this.#match(node, entries, truncateFrom);
  }

  became({ member, disk }: ObservedNode, role: RoleName, epoch: number): void {
    if (role !== 'leader') return;
    this.#leads(nameOf(member), epoch);
    const { committed, committedIn, committedIndex } = this.ledger;
    let index = committedIndex;
    while (index > 0 && committedIn[index]! >= epoch) index--;
    if (index > 0 && !disk.has(index, committed[index]!.epoch)) {
      const problem = `leader ${nameOf(member)} of epoch ${epoch} lacks ${contentOf(committed[index]!)}`;
      this.#report('leaderCompleteness', problem);
    }
  }

  /** Entries are given to the state machine. `apply` does that, and gives what it is then. */
  applied(node: ObservedNode, entries: readonly Entry[], apply: () => MetadataImage): void {
    const { ledger } = this;
    for (const entry of entries) {
      if (!node.disk.has(entry.index, entry.epoch)) {
        this.#report('appliedIsDurable', `${nameOf(node.member)} applies ${contentOf(entry)}`);
      }
      if (entry.index === ledger.committedIndex + 1) ledger.commit(entry, node.epoch);
      else this.#isCommitted(node, entry);
    }
    // Only now: what is answered meanwhile was committed before.
    const image = apply();
    const { index } = entries.at(-1)!;
    if (index % COMPARED_EVERY === 0) this.#sameImage(node, index, image);
  }

  /** As `applied`, when the one who leads has applied up to `last`. */
  counted(node: ObservedNode, last: Entry, { configuration }: RaftStatus): void {
    if (last.index <= this.#countedIndex) return;
    this.#countedIndex = last.index;
    const { voters } = configuration;
    const holders = this.#nodes.filter(
      ({ member, disk }) => isVoter(configuration, member) && disk.has(last.index, last.epoch),
    );
    if (holders.length >= majorityOf(voters.length)) return;
    const problem = `${nameOf(node.member)} takes ${contentOf(last)} for committed, durable on ${holders.length} of ${voters.length}`;
    this.#report('commitIsOnMajority', problem);
  }

  /** A snapshot takes the place of the state, or is made of it. */
  snapshot(
    node: ObservedNode,
    { last, configuration }: SnapshotMeta,
    records: readonly Uint8Array[],
  ): void {
    const { ledger } = this;
    const name = `the snapshot of ${nameOf(node.member)} at ${last.index}`;
    if (last.index > ledger.committedIndex) {
      this.#report('snapshotsAreFolds', `${name} has what is not committed`);
      return;
    }
    if (ledger.committed[last.index]?.epoch !== last.epoch) {
      this.#report('snapshotsAreFolds', `${name} is of epoch ${last.epoch}`);
    }
    const change = ledger.committed
      .slice(0, last.index + 1)
      .findLast((entry) => entry?.kind === 'configuration');
    const members = describeConfiguration(configuration);
    if (
      change?.kind === 'configuration' &&
      describeConfiguration(change.configuration) !== members
    ) {
      this.#report('snapshotsAreFolds', `${name} has other members: ${members}`);
    }
    if (ledger.hashAt(last.index) !== hashOfRecords(records)) {
      this.#report('snapshotsAreFolds', `${name} is not what was committed`);
    }
  }

  #leads(name: string, epoch: number): void {
    const leader = this.ledger.leaders.get(epoch);
    if (leader === undefined) this.ledger.leaders.set(epoch, name);
    else if (leader !== name) {
      this.#report('electionSafety', `${leader} and ${name} lead epoch ${epoch}`);
    }
  }

  #votes(name: string, epoch: number, candidate: string): void {
    const ballot = `${name} in epoch ${epoch}`;
    const known = this.ledger.votes.get(ballot);
    if (known === undefined) this.ledger.votes.set(ballot, candidate);
    else if (known !== candidate) {
      this.#report('oneVoteAnEpoch', `${ballot} votes for ${known} and for ${candidate}`);
    }
  }

  /** Index and epoch name one entry, and all that is before it. */
  #match({ member, disk }: ObservedNode, entries: readonly Entry[], from: number | null): void {
    const [first] = entries;
    if (first === undefined) return;
    const isCut = from !== null && from < first.index;
    let before = isCut ? undefined : disk.epochAt(first.index - 1);
    for (const entry of entries) {
      const key = `${entry.index}/${entry.epoch}`;
      const content = `${contentOf(entry)} after ${before}`;
      const known = this.ledger.stored.get(key);
      if (before !== undefined) {
        if (known === undefined) this.ledger.stored.set(key, content);
        else if (known !== content) {
          const problem = `"${known}" and, on ${nameOf(member)}, "${content}"`;
          this.#report('logMatching', problem);
        }
      }
      before = entry.epoch;
    }
  }

  #isCommitted({ member }: ObservedNode, entry: Entry): void {
    const known = this.ledger.committed[entry.index];
    if (known === undefined) {
      this.#report('stateMachineSafety', `${nameOf(member)} applies ${entry.index} with a gap`);
    } else if (known.epoch !== entry.epoch || contentOf(known) !== contentOf(entry)) {
      const problem = `${contentOf(known)} was applied, ${nameOf(member)} applies ${contentOf(entry)}`;
      this.#report('stateMachineSafety', problem);
    }
  }

  #sameImage({ member }: ObservedNode, index: number, image: MetadataImage): void {
    if (this.ledger.hashAt(index) === hashOf(image)) return;
    const problem = `the metadata of ${nameOf(member)} at ${index} are not what was committed`;
    this.#report('imagesAreEqual', problem);
  }
}
