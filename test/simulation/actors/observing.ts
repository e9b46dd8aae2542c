import type { Client } from '../../../src/client/client.ts';
import type { SimulatedTopic } from '../history.ts';
import { answered, type Scene, sleep } from './scene.ts';
import type { TopicOwner } from './topic-owner.ts';

/** Asks again and again where the partitions of a topic start and end. */
export async function observe(scene: Scene, client: Client, owner: TopicOwner): Promise<void> {
  const random = scene.random.fork(`observer of ${owner.topic.key}`);
  while (!scene.isOver()) {
    const partition = random.below(owner.partitionCount);
    await markPartitions(scene, client, owner.topic, partition);
    await sleep(scene, random.below(random.pick([10, 100])));
  }
}

/** Asks where a partition starts and ends; only one at a time asks for one topic. */
export async function markPartitions(
  scene: Scene,
  client: Client,
  { key: topic, name }: SimulatedTopic,
  partition: number,
): Promise<{ start: number; end: number }> {
  const { history, env } = scene;
  return await answered(scene, async (options) => {
    const era = history.era;
    const invokedMs = env.clock.monotonicMs();
    const place = { topic: name, partition };
    const answers = await client.admin().listOffsets(
      [
        { ...place, at: 'earliest' },
        { ...place, at: 'latest' },
      ],
      options,
    );
    const [start, end] = answers.map(({ offset, error }) => {
      if (error !== undefined) throw error;
      return offset;
    });
    // An answer of before a power cut that is heard of after it says nothing of either era.
    if (era === history.era) {
      const mark = { topic, partition, invokedMs, era };
      history.marks.push({ ...mark, kind: 'start', offset: start! });
      history.marks.push({ ...mark, kind: 'end', offset: end! });
    }
    return { start: start!, end: end! };
  });
}
