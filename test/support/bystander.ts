import { connect } from '../../src/client/main.ts';

/** Records that were checked at least, for a run to show anything. */
const LEAST_RECORDS = 5;

/**
 * An honest client beside what somebody else does: it produces numbered records one after another and
 * reads them back, and every one must come once, whole and in order.
 */
export class Bystander {
  readonly #topic: string;
  readonly #client: Awaited<ReturnType<typeof connect>>;
  readonly #stopping = new AbortController();
  readonly #problems: string[] = [];
  #produced = 0;
  #consumed = 0;
  #running: Promise<unknown> = Promise.resolve();

  private constructor(client: Awaited<ReturnType<typeof connect>>, topic: string) {
    this.#client = client;
    this.#topic = topic;
  }

  static async start(address: string, topic: string): Promise<Bystander> {
    const client = await connect({ brokers: [address] });
    await client.admin().createTopic({ name: topic, partitionCount: 1 });
    const bystander = new Bystander(client, topic);
    bystander.#running = Promise.all([bystander.#produce(), bystander.#consume()]);
    return bystander;
  }

  /** How many records were produced and read back so far. */
  get consumed(): number {
    return this.#consumed;
  }

  /** Resolves when so many more records have come back: the broker serves others meanwhile. */
  async progress(records = LEAST_RECORDS): Promise<void> {
    const target = this.#consumed + records;
    while (this.#consumed < target && this.#problems.length === 0) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** What went wrong; nothing if all is well and enough was done to tell. */
  async stop(): Promise<string[]> {
    await this.progress();
    this.#stopping.abort();
    await this.#running;
    await this.#client.close();
    return this.#problems;
  }

  async #produce(): Promise<void> {
    const producer = this.#client.producer({ value: 'string' });
    try {
      while (!this.#stopping.signal.aborted) {
        const value = recordOf(this.#produced);
        const { offset } = await producer.send({ topic: this.#topic, partition: 0, value });
        if (offset !== this.#produced) {
          this.#problems.push(`record ${this.#produced} is at ${offset}`);
          return;
        }
        this.#produced++;
      }
    } catch (error) {
      this.#problems.push(`produce: ${String(error)}`);
    }
  }

  async #consume(): Promise<void> {
    const { signal } = this.#stopping;
    const consumer = this.#client.consumer({
      topics: [this.#topic],
      from: 'earliest',
      value: 'string',
    });
    try {
      signal.addEventListener('abort', () => void consumer.close());
      for await (const { offset, value } of consumer) {
        if (offset !== this.#consumed || value !== recordOf(this.#consumed)) {
          this.#problems.push(`record ${this.#consumed} was read as ${offset}: ${value}`);
          return;
        }
        this.#consumed++;
      }
    } catch (error) {
      if (!signal.aborted) this.#problems.push(`consume: ${String(error)}`);
    }
  }
}

const recordOf = (number: number): string => `${number} ${'x'.repeat(number % 300)}`;
