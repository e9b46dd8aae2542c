import type { NodeId } from '../model/ids.ts';

/**
 * A node with the memory it has: who comes back with an empty or another disk has another directory
 * id and is somebody else (DESIGN 4b rule 7).
 */
export interface Member {
  readonly id: NodeId;
  readonly directoryId: string;
}

/** Who takes part. Ids are unique over both lists. */
export interface Configuration {
  /** They vote and count for majorities. */
  readonly voters: readonly Member[];
  /** They are sent the log and count for nothing (thesis 4.2.1). */
  readonly learners: readonly Member[];
}

/** One step of a membership change. Only one voter more or less at a time, so majorities overlap (thesis 4.1). */
export type MembershipChange =
  | { readonly kind: 'add-learner'; readonly member: Member }
  | { readonly kind: 'promote'; readonly member: Member }
  | { readonly kind: 'remove'; readonly member: Member };

export type ChangeRefusal = 'unknown-member' | 'id-in-use' | 'last-voter';

/** Of a node that has not heard of any. */
export const NO_CONFIGURATION: Configuration = { voters: [], learners: [] };

export const sameMember = (a: Member, b: Member): boolean =>
  a.id === b.id && a.directoryId === b.directoryId;

const has = (members: readonly Member[], member: Member): boolean =>
  members.some((one) => sameMember(one, member));

export const isVoter = ({ voters }: Configuration, member: Member): boolean => has(voters, member);

export const isMember = ({ voters, learners }: Configuration, member: Member): boolean =>
  has(voters, member) || has(learners, member);

/** The member with this id, under whatever directory. */
export const memberOf = ({ voters, learners }: Configuration, id: NodeId): Member | undefined =>
  voters.find((one) => one.id === id) ?? learners.find((one) => one.id === id);

/** The configuration after a change, or why there is none. Voters stand in the order of their ids. */
export function changed(
  { voters, learners }: Configuration,
  { kind, member }: MembershipChange,
): Configuration | ChangeRefusal {
  const others = (members: readonly Member[]) => members.filter((one) => !sameMember(one, member));
  switch (kind) {
    case 'add-learner':
      if (memberOf({ voters, learners }, member.id) !== undefined) return 'id-in-use';
      return { voters, learners: sorted([...learners, member]) };
    case 'promote':
      if (!has(learners, member)) return 'unknown-member';
      return { voters: sorted([...voters, member]), learners: others(learners) };
    case 'remove':
      if (!has(voters, member) && !has(learners, member)) return 'unknown-member';
      if (has(voters, member) && voters.length === 1) return 'last-voter';
      return { voters: others(voters), learners: others(learners) };
  }
}

const sorted = (members: readonly Member[]): Member[] => members.toSorted((a, b) => a.id - b.id);

/** False for lists that no change leads to: no voter, an id twice. */
export function isPossible({ voters, learners }: Configuration): boolean {
  const ids = new Set([...voters, ...learners].map(({ id }) => id));
  return voters.length > 0 && ids.size === voters.length + learners.length;
}
