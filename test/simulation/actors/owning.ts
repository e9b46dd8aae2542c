import type { Client } from '../../../src/client/client.ts';
import type { SimulatedTopic } from '../history.ts';
import type { LastingTopic, TopicChange } from '../topics.ts';
import { markPartitions } from './observing.ts';
import { RecordingProducer } from './producing.ts';
import { readWhole } from './reading-whole.ts';
import { type Scene, sleep } from './scene.ts';
import { TopicOwner } from './topic-owner.ts';

const MOST_PARTITIONS = 5;

/** Makes a topic; `tend` it then until the load is over. */
export async function makeTopic(
  scene: Scene,
  client: Client,
  lasting: LastingTopic,
): Promise<TopicOwner> {
  const owner = new TopicOwner(lasting.topic, scene, client);
  await owner.create(lasting.partitionCount, lasting.configs);
  await owner.look();
  return owner;
}

/** Changes a topic now and then, and looks whether it is as it has to be. */
export async function tend(
  scene: Scene,
  client: Client,
  owner: TopicOwner,
  changes: readonly TopicChange[],
): Promise<void> {
  const random = scene.random.fork(`owner of ${owner.topic.key}`);
  while (!scene.isOver()) {
    await sleep(scene, random.below(random.pick([20, 200, 1000])));
    const change = changes.length === 0 ? undefined : random.pick(changes);
    if (change === 'settings') {
      await owner.setConfig('segment.ms', String(random.pick([30, 600, 604_800_000])));
    } else if (change === 'partitions' && owner.partitionCount < MOST_PARTITIONS) {
      await owner.addPartitions(owner.partitionCount + 1);
    } else if (change === 'delete records') {
      const partition = random.below(owner.partitionCount);
      const { start, end } = await markPartitions(scene, client, owner.topic, partition);
      await owner.deleteRecords(partition, start + random.below(end - start + 1));
    }
    await owner.look();
  }
}

/**
 * Makes topics of one name and deletes them again, with records in them or without, and with fewer
 * partitions than the one before or more. One client uses them all, and a producer some of them.
 */
export async function churn(name: string, scene: Scene, client: Client): Promise<TopicOwner> {
  const random = scene.random.fork(name);
  let producer: RecordingProducer | undefined;
  for (let generation = 1; ; generation++) {
    const topic: SimulatedTopic = {
      key: `${name} no. ${generation}`,
      name,
      durability: 'durable',
      expiry: 'never',
      hasAppendTime: false,
    };
    const owner = new TopicOwner(topic, scene, client);
    await owner.create(random.between(1, 3), new Map([['segment.bytes', '16384']]));
    await owner.look();
    if (random.chance(0.8)) {
      producer ??= new RecordingProducer(`producer of ${topic.key}`, scene, client);
      for (let left = random.pick([1, 3, 20]); left > 0; left--) producer.send(topic);
      await producer.settled();
    }
    if (random.chance(0.7)) {
      await producer?.close();
      producer = undefined;
    }
    await sleep(scene, random.below(random.pick([5, 100])));
    if (scene.isOver()) {
      await producer?.close();
      return owner;
    }
    if (random.chance(0.3)) await readWhole(scene, client, topic, owner.partitionCount);
    await owner.delete();
    if (random.chance(0.5)) {
      await owner.look();
      await sleep(scene, random.below(random.pick([5, 100])));
    }
  }
}
