import { type TopicLogConfig, topicLogConfig } from '../log/topic-config.ts';
import type { MetadataImage } from '../metadata/image.ts';
import type { TopicId } from '../model/ids.ts';

/** What the metadata say of a log that was found: the settings of its topic, or why it has none. */
export function describeLog(
  { topics, removedTopics }: MetadataImage,
  topic: string,
  topicId: TopicId,
  defaults: TopicLogConfig,
): TopicLogConfig | 'deleted' | 'unknown' {
  const known = topics.get(topicId);
  if (known?.name === topic) return topicLogConfig(defaults, known.configs);
  return removedTopics.has(topicId) ? 'deleted' : 'unknown';
}
