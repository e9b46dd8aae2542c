import type { Client } from '../../src/client/client.ts';
import { consume } from './actors/consuming.ts';
import { observe } from './actors/observing.ts';
import { churn, makeTopic, tend } from './actors/owning.ts';
import { RecordingProducer } from './actors/producing.ts';
import { readWhole } from './actors/reading-whole.ts';
import { connected, type Scene } from './actors/scene.ts';
import type { TopicOwner } from './actors/topic-owner.ts';
import type { SimulatedTopic } from './history.ts';
import { drawTopics } from './topics.ts';

/**
 * Those who use the broker all at once: owners, producers, consumers and observers of topics, each with
 * clients that outlive every crash. They are drawn from the seed.
 */
export class Workload {
  readonly #scene: Scene;
  /** Who has not come to an end. */
  readonly #busy = new Set<string>();
  #client: Client | undefined;
  #owners: TopicOwner[] = [];

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  /** Who has not come to an end. */
  get busy(): string[] {
    return [...this.#busy];
  }

  /** Names of the folders that the partitions of all topics have. */
  get folders(): Set<string> {
    const folders = new Set<string>();
    for (const { topic, partitionCount } of this.#owners) {
      for (let at = 0; at < partitionCount; at++) folders.add(`${topic.name}-${at}`);
    }
    return folders;
  }

  /** Folders of partitions that have lost records for their size, with what has to be left of them. */
  get leastBytes(): Map<string, number> {
    const { history } = this.#scene;
    const least = new Map<string, number>();
    for (const log of history.finalLogs) {
      const { name, expiry } = history.topicOf(log);
      if (expiry === 'never' || !('beyondBytes' in expiry) || log.startOffset === 0) continue;
      least.set(`${name}-${log.partition}`, expiry.beyondBytes);
    }
    return least;
  }

  /** Until the load is over, and everything that was begun has an end. */
  async run(): Promise<void> {
    const scene = this.#scene;
    const random = scene.random.fork('workload');
    const client = await this.#until('the first connection', connected(scene));
    this.#client = client;
    const lasting = drawTopics(random);
    const owners = await this.#until(
      'making topics',
      Promise.all(lasting.map((topic) => makeTopic(scene, client, topic))),
    );
    const topics = owners.map(({ topic }) => topic);
    const all: Promise<void>[] = [];
    for (const [at, owner] of owners.entries()) {
      const { key } = owner.topic;
      const { changes } = lasting[at]!;
      all.push(this.#until(`owner of ${key}`, tend(scene, client, owner, changes)));
      // Who deletes records asks for the marks himself.
      if (!changes.includes('delete records')) {
        all.push(this.#until(`observer of ${key}`, observe(scene, client, owner)));
      }
      const reader = `reader of ${key}`;
      all.push(this.#until(reader, consume(reader, scene, client, [owner.topic])));
    }
    for (let number = random.between(2, 4); number > 0; number--) {
      const wanted = topics.filter((_, at) => at === 0 || random.chance(0.6));
      all.push(this.#produce(`producer ${number}`, wanted));
    }
    const churning = ['churn-a', 'churn-b']
      .slice(0, random.between(1, 2))
      .map((name) => this.#until(name, churn(name, scene, client)));
    await Promise.all(all);
    this.#owners = [...owners, ...(await Promise.all(churning))];
  }

  /** Reads every partition once more, when nothing is sent any more. */
  async readAll(): Promise<void> {
    const scene = this.#scene;
    const client = this.#client!;
    for (const owner of this.#owners) {
      const { topic, partitionCount } = owner;
      await this.#until(`last look at ${topic.key}`, owner.look());
      const reading = readWhole(scene, client, topic, partitionCount);
      await this.#until(`last reading of ${topic.key}`, reading);
    }
    await client.close();
  }

  async #produce(name: string, topics: readonly SimulatedTopic[]): Promise<void> {
    // A client of its own, so that producers do not share connections.
    const client = await this.#until(`connection of ${name}`, connected(this.#scene));
    const producer = new RecordingProducer(name, this.#scene, client);
    await this.#until(name, producer.run(topics));
    await client.close();
  }

  async #until<T>(name: string, work: Promise<T>): Promise<T> {
    this.#busy.add(name);
    const result = await work;
    this.#busy.delete(name);
    return result;
  }
}
