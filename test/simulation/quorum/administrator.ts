import {
  type Configuration,
  isMember,
  isVoter,
  type Member,
  type MembershipChange,
  sameMember,
} from '../../../src/raft/configuration.ts';
import type { SimulatedRandom } from '../env/simulated-random.ts';
import type { ClusterNode, Life } from './cluster-node.ts';
import { type ChangeKind, NODES_MAX } from './plan.ts';
import type { QuorumCluster, RunningNode } from './quorum-cluster.ts';

/** How often the administrator looks at the cluster. */
const ROUND_MS = 400;

/**
 * Changes who takes part, as people do it: by requests to the leader, tried again until they are done. Never
 * takes so much away that no majority is left with what it knew.
 */
export class Administrator {
  readonly #cluster: QuorumCluster;
  /** Machines that are to become voters. */
  readonly #joining = new Set<ClusterNode>();
  #isOver = false;

  constructor(cluster: QuorumCluster) {
    this.#cluster = cluster;
  }

  begin(): void {
    this.#cluster.scheduler.after(ROUND_MS, () => {
      if (this.#isOver) return;
      this.#round();
      this.begin();
    });
  }

  end(): void {
    this.#isOver = true;
  }

  ask(kind: ChangeKind, random: SimulatedRandom): void {
    const { leader } = this.#cluster;
    if (leader === undefined) return;
    const { configuration } = leader.life.quorum.status;
    if (kind === 'transfer') this.#transfer(leader, configuration, random);
    else if (kind === 'join') this.#join(configuration, random);
    else this.#leave(kind === 'leader leaves' ? leader.member : null, configuration, random);
  }

  /**
   * A disk is replaced by an empty one, if the others can go on without it. So nobody may have a change of
   * members in its log that is not committed: with it, and without the disk, there may be no majority.
   */
  wipe(node: ClusterNode): boolean {
    const { leader, lost, nodes } = this.#cluster;
    if (leader === undefined || lost.length > 0 || node.isRetired) return false;
    const { configuration, configurationIndex, commitIndex } = leader.life.quorum.status;
    const { voters } = configuration;
    const isSettled =
      configurationIndex <= commitIndex &&
      voters.every(({ id }) => {
        const status = nodes.get(id)?.life?.quorum.status;
        return status?.configurationIndex === configurationIndex;
      });
    if (!isSettled || voters.length < 3 || !isMember(configuration, node.member)) return false;
    node.stop('power');
    node.isRetired = true;
    const fresh = this.#cluster.add(node.member.id);
    fresh.start();
    this.#joining.add(fresh);
    return true;
  }

  #round(): void {
    const { leader, lost } = this.#cluster;
    if (leader === undefined) return;
    const { configuration } = leader.life.quorum.status;
    const gone = lost.find((member) => isMember(configuration, member));
    if (gone !== undefined) {
      this.#change({ kind: 'remove', member: gone });
      return;
    }
    for (const node of this.#joining) {
      const { member } = node;
      if (node.isRetired || isVoter(configuration, member)) this.#hasJoined(node);
      else if (isMember(configuration, member)) this.#change({ kind: 'promote', member });
      else this.#change({ kind: 'add-learner', member });
    }
  }

  #hasJoined(node: ClusterNode): void {
    this.#joining.delete(node);
    if (node.isReplacement && !node.isRetired) this.#cluster.count('lost voter replaced');
  }

  #join(configuration: Configuration, random: SimulatedRandom): void {
    const { nodes } = this.#cluster;
    const free = [...nodes.values()].filter(({ member }) => !isMember(configuration, member));
    if (free.length > 0 && random.chance(0.7)) {
      this.#joining.add(random.pick(free));
      return;
    }
    if (nodes.size >= NODES_MAX) return;
    const node = this.#cluster.add();
    node.start();
    this.#joining.add(node);
  }

  /** Without the lost one a majority has to be left, whatever is committed in the end. */
  #leave(chosen: Member | null, configuration: Configuration, random: SimulatedRandom): void {
    const { voters, learners } = configuration;
    if (this.#cluster.lost.length > 0) return;
    const isFew = voters.length < 3 || (voters.length === 3 && random.chance(0.5));
    const candidates = isFew ? learners : [...voters, ...learners];
    if (candidates.length === 0) return;
    const isPossible = chosen !== null && candidates.some((one) => sameMember(one, chosen));
    const member = isPossible ? chosen : random.pick(candidates);
    for (const node of this.#joining) if (node.member === member) this.#joining.delete(node);
    this.#change({ kind: 'remove', member });
  }

  #transfer(leader: RunningNode, { voters }: Configuration, random: SimulatedRandom): void {
    const to = random.pick(voters);
    leader.deliver(({ quorum }) => {
      quorum.transferLeadership(to).then(
        (outcome) => this.#cluster.count(`transfer ${outcome ?? 'done'}`),
        () => this.#cluster.count('transfer failed'),
      );
    });
  }

  #change(change: MembershipChange): void {
    const { leader } = this.#cluster;
    const { kind, member } = change;
    leader?.deliver((life) => {
      // It stood still, and meanwhile a disk was lost.
      const isSafe = kind !== 'remove' || this.#cluster.lost.every((one) => one === member);
      if (!isSafe) return;
      const what = `${kind} ${member.directoryId}`;
      this.#cluster.note(leader, () => `is asked to ${what}`);
      askFor(life, change).then(
        (refused) => {
          this.#cluster.count(refused === null ? `change ${kind}` : `refused ${refused}`);
          const isItself = kind === 'remove' && member === leader.member;
          if (refused === null && isItself) this.#cluster.count('change remove of the leader');
          this.#cluster.note(leader, () => `${what}: ${refused ?? 'done'}`);
        },
        () => this.#cluster.count('change not known'),
      );
    });
  }
}

const askFor = async ({ quorum }: Life, change: MembershipChange) =>
  quorum.changeMembership(change);
