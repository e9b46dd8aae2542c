import type { History, Read, Request } from '../history.ts';

/** A checker looks at what clients saw, and at nothing else. */
export type HistoryChecker = (history: History) => string[];

interface Cluster {
  readonly value: string | null;
  /** When the write of the value began. */
  readonly from: number;
  /** The first answer of the write or of a read that saw the value. */
  firstTo: number;
  /** The last beginning of the write or of such a read. */
  lastFrom: number;
}

/**
 * Registers are atomic. As every value is written once, it is enough to look at each value together with
 * the reads that saw it (Gibbons and Korach, "Testing shared memories", 1997). Between `firstTo` and
 * `lastFrom`, if that comes later, the register had that value all the time: no two values may share such
 * time. If it comes earlier the value had some moment between them: that must not lie within
 * the time of another value.
 */
export const registersAreAtomic: HistoryChecker = ({ writes, reads }) => {
  const names = new Set(writes.map(({ register }) => register));
  return [...names].flatMap((name) => {
    const clusters = new Map<string | null, Cluster>([
      // Nobody has written that it was never set.
      [null, { value: null, from: -1, firstTo: 0, lastFrom: 0 }],
    ]);
    for (const { register, value, from, to } of writes) {
      if (register === name) clusters.set(value, { value, from, firstTo: to, lastFrom: from });
    }
    const problems: string[] = [];
    for (const { values, from, to } of reads) {
      const value = values.get(name);
      if (value === undefined) continue;
      const cluster = clusters.get(value);
      if (cluster === undefined) problems.push(`${name}: nobody wrote ${value}`);
      else if (to < cluster.from) problems.push(`${name}: ${value} was read before it was written`);
      else {
        cluster.firstTo = Math.min(cluster.firstTo, to);
        cluster.lastFrom = Math.max(cluster.lastFrom, from);
      }
    }
    return [...problems, ...overlaps(name, [...clusters.values()])];
  });
};

function overlaps(name: string, all: readonly Cluster[]): string[] {
  // A write that was not answered and that nobody has seen may never have been done.
  const seen = all.filter(({ firstTo }) => Number.isFinite(firstTo));
  const held = seen
    .filter(({ firstTo, lastFrom }) => firstTo < lastFrom)
    .toSorted((a, b) => a.firstTo - b.firstTo);
  const problems: string[] = [];
  for (const [at, one] of held.entries()) {
    const next = held[at + 1];
    if (next !== undefined && next.firstTo < one.lastFrom) {
      problems.push(`${name} was ${one.value} and ${next.value} at once`);
    }
  }
  for (const { value, firstTo, lastFrom } of seen) {
    if (firstTo < lastFrom) continue;
    const around = held.find((one) => one.firstTo < lastFrom && firstTo < one.lastFrom);
    if (around === undefined) continue;
    problems.push(`${name} was ${around.value} all the time in which it was set to ${value}`);
  }
  return problems;
}

/** Who was told of a topic, or of its end, is not contradicted: it comes once and goes once. */
export const topicsComeAndGoOnce: HistoryChecker = ({ creations, deletions, reads }) => {
  const deletionsOf = new Map<string, Request[]>();
  for (const { topicId, ...request } of deletions) {
    deletionsOf.set(topicId, [...(deletionsOf.get(topicId) ?? []), request]);
  }
  const problems: string[] = [];
  const lives = new Map<string, { created: Request; gone: number; seen: number }>();
  for (const { topicId, ...created } of creations) {
    if (lives.has(topicId)) problems.push(`topic id ${topicId} was given twice`);
    const ends = deletionsOf.get(topicId) ?? [];
    lives.set(topicId, {
      created,
      gone: Math.min(Infinity, ...ends.map(({ to }) => to)),
      seen: created.to,
    });
  }
  const isDeletedBefore = (topicId: string, moment: number) =>
    (deletionsOf.get(topicId) ?? []).some(({ from }) => from < moment);
  const byAnswer = reads.toSorted((a, b) => a.to - b.to);
  // What an earlier read has seen, a later one sees too.
  for (const { topicIds, to } of byAnswer) {
    for (const topicId of topicIds) {
      const life = lives.get(topicId);
      if (life !== undefined) life.seen = Math.min(life.seen, to);
    }
  }
  for (const { topicIds, from, to } of reads) {
    for (const [topicId, { created, gone, seen }] of lives) {
      const isThere = topicIds.has(topicId);
      if (isThere && to < created.from)
        problems.push(`topic ${topicId} was seen before it was made`);
      if (isThere && gone < from) problems.push(`topic ${topicId} was seen after it was deleted`);
      if (!isThere && seen < from && !isDeletedBefore(topicId, to)) {
        problems.push(`topic ${topicId} was there and is missing`);
      }
    }
  }
  return [...problems, ...reappearances(byAnswer, lives)];
};

/** A topic that a read has missed after it was there is not seen by a later one. */
function reappearances(
  reads: readonly Read[],
  lives: ReadonlyMap<string, { readonly seen: number }>,
): string[] {
  return [...lives].flatMap(([topicId, { seen }]) => {
    const missed = reads.find(({ from, topicIds }) => seen < from && !topicIds.has(topicId));
    if (missed === undefined) return [];
    const again = reads.some(({ from, topicIds }) => missed.to < from && topicIds.has(topicId));
    return again ? [`topic ${topicId} was gone and is there again`] : [];
  });
}

/** Blocks of producer ids have nothing in common, rise with time, and reads know of them. */
export const producerIdsAreGivenOnce: HistoryChecker = ({ allocations, reads }) => {
  const problems: string[] = [];
  const blocks = allocations.toSorted((a, b) => a.first - b.first);
  for (const [at, { first, count, from, to }] of blocks.entries()) {
    const next = blocks[at + 1];
    if (next !== undefined && next.first < first + count) {
      problems.push(`producer id ${next.first} was handed out twice`);
    }
    // All blocks behind have to be of requests that did not end before this one began.
    if (next !== undefined && next.to < from) {
      problems.push(`producer ids from ${next.first} were handed out before those from ${first}`);
    }
    for (const read of reads) {
      const isIn = read.nextProducerId >= first + count;
      if (!isIn && to < read.from) problems.push(`a read knows nothing of producer id ${first}`);
      if (isIn && read.to < from) problems.push(`a read knows of producer id ${first} in advance`);
    }
  }
  return [...problems, ...falls(reads, ({ nextProducerId }) => nextProducerId, 'producer id')];
};

/** Every registration of a broker has a higher epoch than those before, and reads know of them. */
export const brokerEpochsRise: HistoryChecker = ({ registrations, reads }) => {
  const nodes = new Set(registrations.map(({ nodeId }) => nodeId));
  return [...nodes].flatMap((nodeId) => {
    const own = registrations.filter((one) => one.nodeId === nodeId);
    const epochOf = (read: Read): number => read.brokerEpochs.get(nodeId) ?? -1;
    const problems = own.flatMap(({ brokerEpoch, from, to }) => [
      ...own
        .filter((other) => other.to < from && other.brokerEpoch >= brokerEpoch)
        .map((other) => `broker ${nodeId} got epoch ${brokerEpoch} after ${other.brokerEpoch}`),
      ...reads
        .filter((read) => to < read.from && epochOf(read) < brokerEpoch)
        .map((read) => `a read has epoch ${epochOf(read)} of ${nodeId}, not ${brokerEpoch}`),
    ]);
    return [...problems, ...falls(reads, epochOf, `epoch of broker ${nodeId}`)];
  });
};

/** What only rises does not fall from one read to a later one. */
function falls(reads: readonly Read[], of: (read: Read) => number, what: string): string[] {
  const begun = reads.toSorted((a, b) => a.from - b.from);
  const ended = reads.toSorted((a, b) => a.to - b.to);
  let [at, most] = [0, -1];
  const problems: string[] = [];
  for (const read of begun) {
    while (at < ended.length && ended[at]!.to < read.from) most = Math.max(most, of(ended[at++]!));
    if (of(read) < most) problems.push(`a read of the ${what} saw ${of(read)} after ${most}`);
  }
  return problems;
}

export const historyCheckers: readonly (readonly [name: string, HistoryChecker])[] = [
  ['registersAreAtomic', registersAreAtomic],
  ['topicsComeAndGoOnce', topicsComeAndGoOnce],
  ['producerIdsAreGivenOnce', producerIdsAreGivenOnce],
  ['brokerEpochsRise', brokerEpochsRise],
];
