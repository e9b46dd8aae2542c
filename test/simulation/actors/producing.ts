import type { Client } from '../../../src/client/client.ts';
import { VarveError } from '../../../src/client/errors.ts';
import type { Producer } from '../../../src/client/producer.ts';
import type { ProducerOptions } from '../../../src/client/producer-options.ts';
import type { SimulatedRandom } from '../env/simulated-random.ts';
import type { Send, SimulatedTopic } from '../history.ts';
import { valueOfSend } from '../values.ts';
import { type Scene, sleep } from './scene.ts';

/** Sends that one producer may have unanswered. */
const MAX_PENDING = 24;
const SIZES = [16, 16, 100, 100, 400, 400, 1500, 4000];

/** An idempotent producer that writes down what it sends and what it is told of it. */
export class RecordingProducer {
  readonly name: string;
  readonly #scene: Scene;
  readonly #random: SimulatedRandom;
  readonly #producer: Producer;
  readonly #pending = new Set<Promise<void>>();

  constructor(name: string, scene: Scene, client: Client) {
    this.name = name;
    this.#scene = scene;
    this.#random = scene.random.fork(name);
    this.#producer = client.producer(drawOptions(this.#random));
  }

  /** Sends to topics at random until the load is over. */
  async run(topics: readonly SimulatedTopic[]): Promise<void> {
    const random = this.#random;
    while (!this.#scene.isOver()) {
      for (let left = random.between(1, 6); left > 0; left--) this.send(random.pick(topics));
      while (this.#pending.size >= MAX_PENDING) await Promise.race(this.#pending);
      await sleep(this.#scene, random.below(random.pick([2, 10, 40])));
    }
    await this.close();
  }

  send(topic: SimulatedTopic): void {
    const { history, env } = this.#scene;
    const random = this.#random;
    const send: Send = {
      id: history.sends.length,
      producer: this.name,
      topic: topic.key,
      recordKey: random.chance(0.4) ? `key ${random.below(20)}` : null,
      bytes: random.pick(SIZES),
      timestampMs: env.clock.wallMs(),
      invokedMs: env.clock.monotonicMs(),
      outcome: 'pending',
      settledMs: Number.POSITIVE_INFINITY,
      era: -1,
      partition: -1,
      offset: -1,
      error: '',
    };
    history.sends.push(send);
    const settled = this.#send(send, topic.name).then(() => {
      this.#pending.delete(settled);
    });
    this.#pending.add(settled);
  }

  /** Waits until everything is answered, or given up. */
  async settled(): Promise<void> {
    await Promise.all(this.#pending);
  }

  async close(): Promise<void> {
    await this.settled();
    await this.#producer.close();
  }

  async #send(send: Send, topic: string): Promise<void> {
    const { history, env } = this.#scene;
    try {
      const { partition, offset } = await this.#producer.send({
        topic,
        key: send.recordKey === null ? null : Buffer.from(send.recordKey),
        value: valueOfSend(send.id, send.bytes),
        timestampMs: send.timestampMs,
        headers: { producer: this.name },
      });
      send.outcome = 'ok';
      send.partition = partition;
      send.offset = offset;
    } catch (error) {
      if (!VarveError.is(error)) throw error;
      send.outcome = error.code === 'OUTCOME_UNKNOWN' ? 'unknown' : 'failed';
      send.error = `${error.code}: ${error.message}`;
    }
    send.settledMs = env.clock.monotonicMs();
    send.era = history.era;
  }
}

const drawOptions = (random: SimulatedRandom): ProducerOptions => ({
  lingerMs: random.pick([0, 1, 5]),
  batchBytes: random.pick([1024, 4096, 16 * 1024]),
  compression: random.pick(['none', 'none', 'gzip', 'snappy', 'lz4', 'zstd']),
  acks: random.pick(['all', 'all', 'leader']),
  maxInFlight: random.pick([1, 5]),
  deliveryTimeoutMs: random.pick([1500, 20_000, 20_000, 60_000]),
  requestTimeoutMs: random.pick([500, 5000]),
});
