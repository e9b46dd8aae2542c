import type { Random } from '../env/ports.ts';
import { randomId } from '../env/random-id.ts';
import type { MetadataImage } from '../metadata/image.ts';
import { assert } from '../model/assert.ts';
import { type TopicId, topicId } from '../model/ids.ts';

/** Kafka keeps these for "no topic" and for its metadata (`Uuid.RESERVED`). */
const reserved: ReadonlySet<string> = new Set(['AAAAAAAAAAAAAAAAAAAAAA', 'AAAAAAAAAAAAAAAAAAAAAQ']);
/** One draw in 64 begins with a dash; so many in a row do not happen. */
const MAX_DRAWS = 64;

/**
 * Draws the id of a new topic: 128 bits, never one that the cluster has or had. None begins with a
 * dash, so that it can stand in a command line (as Kafka's `Uuid.randomUuid`).
 */
export function drawTopicId(random: Random, image: MetadataImage): TopicId {
  for (let draw = 0; draw < MAX_DRAWS; draw++) {
    const text = randomId(random);
    if (text.startsWith('-') || reserved.has(text)) continue;
    const id = topicId(text);
    if (!image.topics.has(id) && !image.removedTopics.has(id)) return id;
  }
  assert(false, 'random bytes are random');
}
