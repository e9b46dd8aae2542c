import type { TopicId } from '../model/ids.ts';
import type { MetadataImage, TopicImage } from './image.ts';

/** What became of a topic between two images; `before` or `after` is missing if it was not there. */
export interface TopicChange {
  readonly topicId: TopicId;
  readonly before: TopicImage | undefined;
  readonly after: TopicImage | undefined;
  /** Indexes of the partitions that are new, gone or changed, ascending. */
  readonly partitions: readonly number[];
  readonly configsChanged: boolean;
}

/**
 * The topics that differ between two images, those that are gone first. Costs by what changed:
 * parts that the images share are told by their identity and not looked into.
 */
export function changedTopics(before: MetadataImage, after: MetadataImage): TopicChange[] {
  const gone: TopicChange[] = [];
  const rest: TopicChange[] = [];
  after.topics.forEachChange(before.topics, (topicId, old, current) => {
    const change = {
      topicId,
      before: old,
      after: current,
      partitions: changedPartitions(old, current),
      configsChanged: old?.configs !== current?.configs,
    };
    // A topic that was made anew has its name only once its predecessor has been let go.
    (current === undefined ? gone : rest).push(change);
  });
  return [...gone, ...rest];
}

function changedPartitions(
  before: TopicImage | undefined,
  after: TopicImage | undefined,
): number[] {
  const changed: number[] = [];
  if (before?.partitions === after?.partitions) return changed;
  const count = Math.max(before?.partitions.length ?? 0, after?.partitions.length ?? 0);
  for (let index = 0; index < count; index++) {
    if (before?.partitions[index] !== after?.partitions[index]) changed.push(index);
  }
  return changed;
}
