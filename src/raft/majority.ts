/** The arithmetic of majorities (paper 5.1). */

/** How many of `count` voters are more than half of them. */
export const majorityOf = (count: number): number => Math.floor(count / 2) + 1;

/** The highest index that a majority has; `indexes` holds one a voter. 0 without voters. */
export function majorityIndex(indexes: readonly number[]): number {
  const descending = indexes.toSorted((a, b) => b - a);
  return descending[majorityOf(indexes.length) - 1] ?? 0;
}

/** What came of an election; `votes` has one place a voter, `undefined` while it has not answered. */
export function electionResult(votes: readonly (boolean | undefined)[]): 'won' | 'lost' | 'open' {
  const needed = majorityOf(votes.length);
  if (votes.filter((vote) => vote === true).length >= needed) return 'won';
  return votes.filter((vote) => vote !== false).length >= needed ? 'open' : 'lost';
}
