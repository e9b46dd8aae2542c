import type { Client } from '../../../src/client/client.ts';
import { VarveError } from '../../../src/client/errors.ts';
import type { Deletion, FoundTopic, SimulatedTopic, TopicFacts } from '../history.ts';
import { answered, type Scene } from './scene.ts';

/**
 * The only one who changes a topic, one change after another. So it always knows what the topic has to
 * be, and asks the broker whether it is.
 */
export class TopicOwner {
  readonly topic: SimulatedTopic;
  readonly #scene: Scene;
  readonly #client: Client;
  #facts: TopicFacts | undefined;

  constructor(topic: SimulatedTopic, scene: Scene, client: Client) {
    this.topic = topic;
    this.#scene = scene;
    this.#client = client;
    scene.history.topics.set(topic.key, topic);
  }

  get partitionCount(): number {
    return this.#facts?.partitionCount ?? 0;
  }

  async create(partitionCount: number, configs: ReadonlyMap<string, string>): Promise<void> {
    const { name } = this.topic;
    // The call may have been done by an attempt whose answer was lost.
    await this.#change(['TOPIC_ALREADY_EXISTS'], (options) =>
      this.#client
        .admin()
        .createTopic({ name, partitionCount, configs: Object.fromEntries(configs) }, options),
    );
    this.#facts = { partitionCount, configs };
  }

  async delete(): Promise<void> {
    await this.#change(['UNKNOWN_TOPIC_OR_PARTITION'], (options) =>
      this.#client.admin().deleteTopic(this.topic.name, options),
    );
    this.#facts = undefined;
  }

  async addPartitions(totalCount: number): Promise<void> {
    const change = { name: this.topic.name, totalCount };
    await this.#change(['INVALID_PARTITIONS'], async (options) => {
      const [outcome] = await this.#client.admin().createPartitions([change], options);
      if (outcome!.error !== undefined) throw outcome!.error;
    });
    this.#facts = { ...this.#facts!, partitionCount: totalCount };
  }

  async setConfig(key: string, value: string): Promise<void> {
    const change = { name: this.topic.name, set: { [key]: value } };
    await this.#change([], async (options) => {
      const [outcome] = await this.#client.admin().alterConfigs([change], options);
      if (outcome!.error !== undefined) throw outcome!.error;
    });
    const configs = new Map(this.#facts!.configs).set(key, value);
    this.#facts = { ...this.#facts!, configs };
  }

  async deleteRecords(partition: number, beforeOffset: number): Promise<void> {
    const { history } = this.#scene;
    const topic = this.topic.key;
    const deletion: Deletion = { topic, partition, beforeOffset, outcome: 'unknown' };
    history.deletions.push(deletion);
    const place = { topic: this.topic.name, partition, beforeOffset };
    await answered(this.#scene, async (options) => {
      const [outcome] = await this.#client.admin().deleteRecords([place], options);
      if (outcome!.error !== undefined) throw outcome!.error;
    });
    deletion.outcome = 'ok';
  }

  /** Asks the broker what it knows of the topic. */
  async look(): Promise<void> {
    const found = await this.#describe();
    this.#scene.history.descriptions.push({
      topic: this.topic.key,
      name: this.topic.name,
      expected: this.#facts,
      found,
      atMs: this.#scene.env.clock.monotonicMs(),
    });
  }

  async #describe(): Promise<FoundTopic | undefined> {
    const { name } = this.topic;
    const admin = this.#client.admin();
    return await answered(this.#scene, async (options) => {
      const [topic] = await admin.describeTopics([name], options);
      if (topic!.error?.code === 'UNKNOWN_TOPIC_OR_PARTITION') return undefined;
      if (topic!.error !== undefined) throw topic!.error;
      const [configs] = await admin.describeConfigs([name], options);
      if (configs!.error !== undefined) throw configs!.error;
      return {
        topicId: topic!.topicId,
        partitionCount: topic!.partitions.length,
        leaderEpochs: topic!.partitions.map(({ leaderEpoch }) => leaderEpoch),
        configs: new Map(configs!.entries.map((entry) => [entry.name, entry.value])),
      };
    });
  }

  /** @param doneAlready codes that say that an attempt before has done it */
  async #change(
    doneAlready: readonly string[],
    call: (options: { timeoutMs: number }) => Promise<unknown>,
  ): Promise<void> {
    await answered(this.#scene, async (options) => {
      try {
        await call(options);
      } catch (error) {
        if (!VarveError.is(error) || !doneAlready.includes(error.code)) throw error;
      }
    });
    await this.#scene.changed();
  }
}
