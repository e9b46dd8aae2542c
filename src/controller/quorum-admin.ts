import { delay } from '../env/abortable.ts';
import type { Timers } from '../env/ports.ts';
import { ApiError, type ErrorRow, Errors } from '../model/errors.ts';
import type { NodeId } from '../model/ids.ts';
import type { MetadataQuorum } from '../quorum/metadata-quorum.ts';
import { isVoter, type Member, memberOf } from '../raft/configuration.ts';
import type { RefusalReason } from '../raft/effects.ts';
import { majorityOf } from '../raft/majority.ts';
import type { RaftStatus } from '../raft/raft-node.ts';
import type { QuorumApi, QuorumDescription, QuorumMember } from './quorum-api.ts';

/** The quorum as far as administration needs it. */
export type AdministeredQuorum = Pick<
  MetadataQuorum,
  'status' | 'appliedIndex' | 'changeMembership' | 'transferLeadership'
>;

/** Why a change of members is not made. */
type Hindrance = RefusalReason | 'no-majority' | 'given-up';

/** How often, and how many times, what may pass by itself is looked at again: an observer starts, reads the log, … */
const PAUSE_MS = 100;
const TRIES = 100;
/** The leader asks itself anew by each election timeout who is alive; within a few heartbeats all have answered. */
const MAJORITY_TRIES = 10;
const LOOKS = 4;

/** Administration of the quorum by the node that leads it; on all others it refuses with NOT_CONTROLLER. */
export class QuorumAdmin implements QuorumApi {
  readonly #selfId: NodeId;
  readonly #quorum: AdministeredQuorum;
  readonly #timers: Timers;

  constructor(selfId: NodeId, quorum: AdministeredQuorum, timers: Timers) {
    this.#selfId = selfId;
    this.#quorum = quorum;
    this.#timers = timers;
  }

  async describe(): Promise<QuorumDescription> {
    const heardOf = new Set<NodeId>([this.#selfId]);
    for (let look = 1; ; look++) {
      const { followers } = this.#leading();
      for (const { member, isActive } of followers) if (isActive) heardOf.add(member.id);
      if (look === LOOKS || heardOf.size > followers.length) break;
      await this.#pause();
    }
    const { members, ...rest } = this.here;
    const looked = members.map((member) => ({
      ...member,
      isHeardOf: heardOf.has(member.nodeId),
    }));
    return { ...rest, members: looked };
  }

  /** The quorum as this node knows it, whether it leads or not. */
  get here(): QuorumDescription {
    const { appliedIndex, status } = this.#quorum;
    const { configuration, leader, epoch, commitIndex } = status;
    const describe = (members: readonly Member[], role: QuorumMember['role']) =>
      members.map((member) => this.#describeMember(member, role, status));
    return {
      leaderId: leader?.id ?? null,
      leaderEpoch: epoch,
      commitIndex,
      appliedIndex,
      members: [
        ...describe(configuration.voters, 'voter'),
        ...describe(configuration.learners, 'learner'),
      ],
    };
  }

  async addVoter(id: NodeId): Promise<void> {
    await this.#untilDone(id, ({ configuration }) => {
      const member = memberOf(configuration, id);
      if (member === undefined) return 'unknown-member';
      if (isVoter(configuration, member)) return null;
      return this.#quorum.changeMembership({ kind: 'promote', member });
    });
  }

  async removeVoter(id: NodeId, force: boolean): Promise<void> {
    await this.#untilDone(id, async (status) => {
      const { configuration } = status;
      const member = memberOf(configuration, id);
      if (member === undefined) throw hindered('unknown-member', id);
      if (isVoter(configuration, member)) {
        if (configuration.voters.length === 1) return 'last-voter';
        if (!force && !this.#leavesMajority(id, status)) return 'no-majority';
      }
      if (id === this.#selfId) return await this.#handOver(status);
      return await this.#quorum.changeMembership({ kind: 'remove', member });
    });
  }

  async transferLeadership(to: NodeId): Promise<void> {
    await this.#untilDone(to, ({ configuration }) => {
      if (to === this.#selfId) return null;
      const voter = configuration.voters.find(({ id }) => id === to);
      if (voter === undefined) {
        const detail = `node ${to} is no voter of the metadata quorum, so it cannot lead it`;
        throw new ApiError(Errors.VOTER_NOT_FOUND, detail);
      }
      return this.#quorum.transferLeadership(voter);
    });
  }

  /**
   * A leader that is to be removed lets another one do it: it would stop in the middle, and not know
   * whether it is done. Who asked is told to ask that one.
   */
  async #handOver(status: RaftStatus): Promise<Hindrance> {
    const [next] = successors(status);
    if (next === undefined) return 'no-majority';
    const outcome = await this.#quorum.transferLeadership(next.member);
    return outcome ?? 'not-leader';
  }

  #leavesMajority(id: NodeId, { configuration, followers }: RaftStatus): boolean {
    const rest = configuration.voters.filter((voter) => voter.id !== id);
    const alive = followers.filter(({ isActive }) => isActive).map(({ member }) => member.id);
    const present = rest.filter((voter) => voter.id === this.#selfId || alive.includes(voter.id));
    return present.length >= majorityOf(rest.length);
  }

  /** Tries until `step` says `null`, as long as what is in the way may pass. */
  async #untilDone(
    id: NodeId,
    step: (status: RaftStatus) => Promise<Hindrance | null> | Hindrance | null,
  ): Promise<void> {
    for (let tries = 1; ; tries++) {
      const status = this.#leading();
      // What is not committed may still be undone.
      const isSettled = status.configurationIndex <= status.commitIndex;
      const hindrance = isSettled ? await step(status) : 'change-in-progress';
      if (hindrance === null) return;
      if (tries >= (mostTries[hindrance] ?? 1)) throw hindered(hindrance, id);
      await this.#pause();
    }
  }

  #pause(): Promise<void> {
    return delay(PAUSE_MS, this.#timers);
  }

  #leading(): RaftStatus {
    const { status } = this.#quorum;
    if (status.role === 'leader') return status;
    const who = status.leader === null ? 'nobody is known to' : `node ${status.leader.id} does`;
    const detail = `this node does not lead the metadata quorum, ${who}; nothing was changed`;
    throw new ApiError(Errors.NOT_CONTROLLER, detail);
  }

  #describeMember(
    { id, directoryId }: Member,
    role: QuorumMember['role'],
    status: RaftStatus,
  ): QuorumMember {
    const about = { nodeId: id, directoryId, role };
    const isSelf = id === this.#selfId;
    const follower = status.followers.find(({ member }) => member.id === id);
    const matchIndex = isSelf ? status.persistedIndex : (follower?.matchIndex ?? null);
    const isLeading = status.role === 'leader';
    return {
      ...about,
      matchIndex,
      // The end of the log is the leader's to tell.
      lag: isLeading && matchIndex !== null ? status.last.index - matchIndex : null,
      isHeardOf: isSelf || (follower?.isActive ?? false),
    };
  }
}

/** Who can take the lead over: the voters that were heard of, first who has the most of the log. */
export const successors = ({ followers, configuration }: RaftStatus): RaftStatus['followers'] =>
  followers
    .filter(({ member, isActive }) => isActive && isVoter(configuration, member))
    .toSorted((a, b) => b.matchIndex - a.matchIndex);

/** Of what may pass by itself; all else is told at once. */
const mostTries: { readonly [hindrance in Hindrance]?: number } = {
  'unknown-member': TRIES,
  'not-caught-up': TRIES,
  'change-in-progress': TRIES,
  'epoch-not-committed': TRIES,
  transferring: TRIES,
  'too-much-uncommitted': TRIES,
  'no-majority': MAJORITY_TRIES,
};

const sentences: Readonly<
  Record<Hindrance, readonly [row: ErrorRow, sentence: (id: NodeId) => string]>
> = {
  'unknown-member': [
    Errors.VOTER_NOT_FOUND,
    (id) =>
      `node ${id} is no member of the metadata quorum; a node that runs is one, as an observer at first`,
  ],
  'not-caught-up': [
    Errors.REQUEST_TIMED_OUT,
    (id) => `node ${id} has not caught up with the metadata log; try again when it lags less`,
  ],
  'change-in-progress': [
    Errors.REQUEST_TIMED_OUT,
    () => 'another change of the members is not committed; try again when a majority answers',
  ],
  'epoch-not-committed': [
    Errors.REQUEST_TIMED_OUT,
    () => 'the leader has not committed anything yet; try again when a majority answers',
  ],
  transferring: [
    Errors.REQUEST_TIMED_OUT,
    () => 'the leadership is being handed over; try again when that is done',
  ],
  'given-up': [
    Errors.REQUEST_TIMED_OUT,
    () => 'the other voter did not take over in time; this leader goes on',
  ],
  'too-much-uncommitted': [
    Errors.BROKER_OVERLOADED,
    () => 'too much metadata waits for a majority; try again later',
  ],
  'not-leader': [
    Errors.NOT_CONTROLLER,
    () => 'this node does not lead the metadata quorum any more',
  ],
  'id-in-use': [
    Errors.INVALID_REQUEST,
    (id) => `node id ${id} is in use by another member of the metadata quorum`,
  ],
  'last-voter': [
    Errors.INVALID_REQUEST,
    (id) => `node ${id} is the last voter of the metadata quorum; add another one first`,
  ],
  'no-majority': [
    Errors.INVALID_REQUEST,
    (id) =>
      `without node ${id} those that answer are no majority of the voters, and nothing could be changed any more; start the others first, or force it`,
  ],
};

function hindered(hindrance: Hindrance, id: NodeId): ApiError {
  const [row, sentence] = sentences[hindrance];
  return new ApiError(row, `${sentence(id)}; nothing was changed`);
}
