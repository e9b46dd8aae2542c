import { leaderEpoch, type NodeId } from '../model/ids.ts';
import { isVoter, type Member } from './configuration.ts';
import { electionResult } from './majority.ts';
import type { RaftMessage, VoteRequest } from './messages.ts';
import type { NodeContext } from './node-context.ts';
import type { Role, Transitions } from './role.ts';

/**
 * Asks the voters for their votes (paper 5.2), or before that, in the epoch that it is in, whether they
 * would give them (pre-vote, thesis 9.6): who cannot win disturbs nobody.
 */
export class Candidate implements Role {
  readonly name: 'pre-candidate' | 'candidate';
  readonly leader = null;
  readonly isLeaderAlive = false;
  readonly #context: NodeContext;
  readonly #transitions: Transitions;
  readonly #isTransfer: boolean;
  readonly #timeoutTicks: number;
  #ticks = 0;
  #hasAsked = false;
  #isOver = false;
  readonly #votes = new Map<NodeId, boolean>();

  constructor(
    name: 'pre-candidate' | 'candidate',
    isTransfer: boolean,
    context: NodeContext,
    transitions: Transitions,
  ) {
    this.name = name;
    this.#isTransfer = isTransfer;
    this.#context = context;
    this.#transitions = transitions;
    this.#timeoutTicks = context.drawElectionTicks();
  }

  /**
   * Its own vote is one like the others: before it is durable nobody is asked. Who is alone has nobody to
   * tell of an epoch that a crash takes back, and writes the vote with the first entry.
   */
  campaign(): void {
    if (this.#isPreVote || this.#context.isAlone) this.#ask();
    else this.#context.writes.whenPersisted(() => this.#ask());
  }

  tick(): void {
    // A slow disk costs this candidacy time; another one would cost an epoch.
    if (this.#hasAsked) this.#ticks++;
    if (this.#ticks < this.#timeoutTicks) return;
    if (this.#context.mayCampaign) this.#transitions.becomePreCandidate();
    else this.#transitions.becomeFollower(this.#context.epoch, null);
  }

  step(from: Member, message: Exclude<RaftMessage, VoteRequest>): void {
    if (message.kind !== 'vote-answer' || message.isPreVote !== this.#isPreVote) {
      this.#context.ignore(from, 'unexpected');
      return;
    }
    // Only voters count, and only with the memory that they are known by.
    if (!isVoter(this.#context.log.configuration, from)) {
      this.#context.ignore(from, 'unknown-sender');
      return;
    }
    if (!this.#votes.has(from.id)) this.#votes.set(from.id, message.isGranted);
    this.#count();
  }

  voted(): void {}

  persisted(): void {}

  end(): void {
    this.#isOver = true;
  }

  get #isPreVote(): boolean {
    return this.name === 'pre-candidate';
  }

  #ask(): void {
    if (this.#isOver) return;
    this.#hasAsked = true;
    const { self, log, epoch } = this.#context;
    const request: VoteRequest = {
      kind: 'vote',
      epoch: this.#isPreVote ? leaderEpoch(epoch + 1) : epoch,
      isPreVote: this.#isPreVote,
      isTransfer: this.#isTransfer,
      last: log.last,
    };
    if (isVoter(log.configuration, self)) this.#votes.set(self.id, true);
    for (const voter of log.configuration.voters) {
      if (voter.id !== self.id) this.#context.send(voter, request);
    }
    this.#count();
  }

  #count(): void {
    const { voters } = this.#context.log.configuration;
    const result = electionResult(voters.map(({ id }) => this.#votes.get(id)));
    if (result === 'lost') this.#transitions.becomeFollower(this.#context.epoch, null);
    if (result !== 'won') return;
    if (this.#isPreVote) this.#transitions.becomeCandidate(false);
    else this.#transitions.becomeLeader();
  }
}
