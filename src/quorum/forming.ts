import type { NodeId } from '../model/ids.ts';
import {
  type Configuration,
  isMember,
  isPossible,
  isVoter,
  type Member,
  memberOf,
  sameMember,
} from '../raft/configuration.ts';

/** A voter as the settings of a node list it. */
export interface ListedVoter {
  readonly id: NodeId;
  readonly address: string;
}

export interface KnownLeader {
  readonly id: NodeId;
  /** Where it listens for its peers; empty if that is not known. */
  readonly address: string;
}

/** What a formed node tells of its cluster. */
export interface FormedCluster {
  readonly clusterId: string;
  /** The members it was formed with, at index 0 of the log. */
  readonly initial: Configuration;
  /** The members now, as far as the node knows. */
  readonly current: Configuration;
  readonly leader: KnownLeader | undefined;
}

/** What a node tells of itself. */
export interface Introduction {
  readonly self: Member;
  /** The cluster id that it was told to be of; empty if none. */
  readonly clusterId: string;
  readonly voters: readonly ListedVoter[];
  /** Where it listens for its peers; empty if nowhere. */
  readonly address: string;
  /** The listed voters that have answered it in its last round, each at its address. */
  readonly seen: readonly Member[];
  /** Absent on an empty node. */
  readonly formed: FormedCluster | undefined;
}

/** What one round of asking the listed voters has come to. */
export type FormingDecision =
  /** Not yet, and no harm in it. */
  | { readonly kind: 'wait'; readonly reason: string }
  /** Not until somebody has changed something. */
  | { readonly kind: 'refuse'; readonly reason: string }
  /** This node makes the cluster. */
  | { readonly kind: 'form'; readonly clusterId: string | null; readonly initial: Configuration }
  /** The cluster is formed, with this node as a voter. */
  | { readonly kind: 'begin'; readonly clusterId: string; readonly initial: Configuration }
  /** The cluster is formed without this node, which asks the leader to let it follow the log. */
  | { readonly kind: 'join'; readonly cluster: FormedCluster };

/**
 * What an empty node does after it has asked all listed voters but itself (DESIGN 4b rule 7). Pure.
 *
 * Why no two clusters come of it. A node is empty until it has begun durably, and begins once. One is formed
 * by the listed voter with the lowest id, when every listed voter is empty, was given the same voters, and
 * has itself reached each of them as the same member at the address it was given. Whoever has begun says
 * so. A majority of the voters of a cluster has to have begun in it before anything happens there; and a disk
 * that is wiped is another member, which nobody takes for the one that has begun.
 *
 * Who is named by a formed cluster, directory id included, may begin there even if much has happened since:
 * its directory is the one that was asked, and it has never voted.
 *
 * @param answers of the listed voters, whatever they answered; none of those that were not reached
 */
export function decide(
  own: Introduction,
  answers: ReadonlyMap<NodeId, Introduction>,
): FormingDecision {
  const misled = misledBy(own, answers);
  if (misled !== undefined) return refuse(misled);
  const formed = formedClusters(answers);
  if (formed.length > 0) return enter(own, formed);
  if (!own.voters.some(({ id }) => id === own.self.id)) {
    return wait(
      answers.size === 0
        ? 'no listed voter answers'
        : 'no listed voter that answers has a cluster yet',
    );
  }
  const unreached = own.voters.filter(({ id }) => id !== own.self.id && !answers.has(id));
  if (unreached.length > 0) {
    const who = unreached.map(({ id, address }) => `${id}@${address}`).join(', ');
    return wait(`a cluster is formed when all voters are there; not reached: ${who}`);
  }
  return form(own, [...answers.values()]);
}

const wait = (reason: string): FormingDecision => ({ kind: 'wait', reason });
const refuse = (reason: string): FormingDecision => ({ kind: 'refuse', reason });

/** An address that leads to another node, or an id that two have. */
function misledBy(
  { self, voters }: Introduction,
  answers: ReadonlyMap<NodeId, Introduction>,
): string | undefined {
  for (const [id, answer] of answers) {
    const address = voters.find((voter) => voter.id === id)?.address;
    const found = answer.self;
    if (sameMember(found, self)) {
      return `the address ${address} of voter ${id} is that of this node, ${self.id}`;
    }
    if (found.id === self.id) {
      return `id ${self.id} is used twice: by this node with data directory ${self.directoryId} and by one with ${found.directoryId} at ${address}`;
    }
    if (found.id !== id) return `at the address ${address} of voter ${id} is node ${found.id}`;
  }
  return undefined;
}

/** Of the clusters that were told of, the newest news of each, as far as that can be seen. */
function formedClusters(answers: ReadonlyMap<NodeId, Introduction>): FormedCluster[] {
  const clusters = new Map<string, FormedCluster>();
  for (const { self, formed } of answers.values()) {
    if (formed === undefined || !isPossible(formed.initial)) continue;
    const known = clusters.get(formed.clusterId);
    // The leader's own word counts most, then that of one who knows a leader.
    const rank = newsRank(self, formed);
    if (known === undefined || rank > newsRank(undefined, known)) {
      clusters.set(formed.clusterId, formed);
    }
  }
  return [...clusters.values()];
}

const newsRank = (from: Member | undefined, { leader }: FormedCluster): number =>
  leader === undefined ? 0 : leader.id === from?.id ? 2 : 1;

function enter(own: Introduction, clusters: readonly FormedCluster[]): FormingDecision {
  const wanted = own.clusterId;
  const [cluster, other] =
    wanted === '' ? clusters : clusters.filter(({ clusterId }) => clusterId === wanted);
  if (cluster === undefined) {
    const found = clusters.map(({ clusterId }) => clusterId).join(', ');
    return refuse(`this node is to be of cluster ${wanted}, but the listed voters are of ${found}`);
  }
  if (other !== undefined) {
    return refuse(
      `the listed voters are of two clusters, ${cluster.clusterId} and ${other.clusterId}: list those of one`,
    );
  }
  const { self } = own;
  const { clusterId, initial, current } = cluster;
  if (isVoter(initial, self) && isMember(current, self)) {
    return { kind: 'begin', clusterId, initial };
  }
  const namesake = memberOf(current, self.id);
  if (namesake !== undefined && !sameMember(namesake, self)) {
    return refuse(
      `node ${self.id} of cluster ${clusterId} has data directory ${namesake.directoryId}, this one is ${self.directoryId}: it is empty or another disk; give it the disk it had, or remove node ${self.id} from the cluster and let this one join it`,
    );
  }
  return { kind: 'join', cluster };
}

/** All listed voters are there, and all are empty. */
function form(own: Introduction, others: readonly Introduction[]): FormingDecision {
  const all = [own, ...others];
  const disagreeing = others.find((other) => !isSameList(own.voters, other.voters));
  if (disagreeing !== undefined) {
    return refuse(
      `node ${own.self.id} was given the voters ${listOf(own.voters)}, node ${disagreeing.self.id} the voters ${listOf(disagreeing.voters)}: give all the same`,
    );
  }
  const clusterIds = [...new Set(all.map(({ clusterId }) => clusterId).filter((id) => id !== ''))];
  if (clusterIds.length > 1) {
    return refuse(`the voters were given different cluster ids: ${clusterIds.join(', ')}`);
  }
  const voters = all.map(({ self }) => self).toSorted((a, b) => a.id - b.id);
  const directories = new Set(voters.map(({ directoryId }) => directoryId));
  if (directories.size < voters.length) {
    return refuse(
      'two voters have the same data directory: one is a copy of the other, and must be emptied',
    );
  }
  if (voters[0]!.id !== own.self.id) {
    return wait(`all voters are there; node ${voters[0]!.id} forms the cluster`);
  }
  for (const other of others) {
    const strange = voters.find((voter) => !hasReached(other, voter));
    if (strange === undefined) continue;
    const met = other.seen.find(({ id }) => id === strange.id);
    const what =
      met === undefined
        ? `has not yet reached node ${strange.id}`
        : `reaches under id ${strange.id} a node with data directory ${met.directoryId}, not ${strange.directoryId}: if it stays so the id is used twice`;
    return wait(`all voters are there; node ${other.self.id} ${what}`);
  }
  return { kind: 'form', clusterId: clusterIds[0] ?? null, initial: { voters, learners: [] } };
}

const isSameList = (a: readonly ListedVoter[], b: readonly ListedVoter[]): boolean =>
  idsOf(a) === idsOf(b);

const idsOf = (voters: readonly ListedVoter[]): string =>
  voters
    .map(({ id }) => id)
    .toSorted((a, b) => a - b)
    .join();

const listOf = (voters: readonly ListedVoter[]): string =>
  voters.map(({ id, address }) => `${id}@${address}`).join(',');

const hasReached = ({ self, seen }: Introduction, voter: Member): boolean =>
  voter.id === self.id || seen.some((each) => sameMember(each, voter));
