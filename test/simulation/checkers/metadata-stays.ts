import type { Description, FoundTopic, History } from '../history.ts';

/**
 * Acknowledged changes of topics stay, deletions too; and C12: the id of a topic never changes, never
 * comes back, and the leader epochs of its partitions never fall.
 */
export function metadataStays(history: History): string[] {
  const problems: string[] = [];
  const newest = new Map<string, FoundTopic>();
  const ownerOfId = new Map<string, string>();
  for (const description of history.descriptions) {
    const wrong = differenceOf(description);
    if (wrong !== null) problems.push(`topic ${description.name}: ${wrong}`);
    const { topic, found } = description;
    if (found === undefined) continue;
    const owner = ownerOfId.get(found.topicId) ?? topic;
    ownerOfId.set(found.topicId, owner);
    if (owner !== topic) problems.push(`topic ${topic} has the id of ${owner}`);
    const before = newest.get(topic);
    newest.set(topic, found);
    if (before === undefined) continue;
    if (before.topicId !== found.topicId) problems.push(`the id of topic ${topic} has changed`);
    before.leaderEpochs.forEach((epoch, partition) => {
      const now = found.leaderEpochs[partition] ?? -1;
      if (now < epoch) problems.push(`leader epoch of ${topic}-${partition} fell to ${now}`);
    });
  }
  return problems;
}

function differenceOf({ expected, found }: Description): string | null {
  if (expected === undefined) {
    return found === undefined ? null : 'it was deleted, and is there again';
  }
  if (found === undefined) return 'it was made, and is not there';
  if (found.partitionCount !== expected.partitionCount) {
    return `it has ${found.partitionCount} partitions in place of ${expected.partitionCount}`;
  }
  for (const [name, value] of expected.configs) {
    const now = found.configs.get(name);
    if (now !== value) return `${name} was set to ${value}, and is ${now}`;
  }
  return null;
}
