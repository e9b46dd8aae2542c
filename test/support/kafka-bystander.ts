import { batchOf, fetchRequest, KafkaCaller, produceRequest, recordsIn } from './kafka-caller.ts';

const LEAST_RECORDS = 5;

/**
 * A client of Kafka's protocol beside what somebody else does, on one connection: each record that it
 * produces has to get the next offset, and to come back when it is fetched.
 */
export class KafkaBystander {
  readonly #client: KafkaCaller;
  readonly #topic: string;
  readonly #problems: string[] = [];
  #running: Promise<void> = Promise.resolve();
  #isStopping = false;
  /** Records that were produced and read back so far. */
  records = 0;

  /** The topic is there, and empty. */
  constructor(address: string, topic: string) {
    this.#client = new KafkaCaller(address);
    this.#topic = topic;
    this.#running = this.#run();
  }

  /** Resolves when so many more records have come back: the broker serves others meanwhile. */
  async progress(records = LEAST_RECORDS): Promise<void> {
    const target = this.records + records;
    while (this.records < target && this.#problems.length === 0) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** What went wrong. */
  async stop(): Promise<string[]> {
    await this.progress();
    this.#isStopping = true;
    await this.#running;
    this.#client.close();
    return this.#problems;
  }

  async #run(): Promise<void> {
    try {
      while (!this.#isStopping) {
        await this.#roundTrip();
        this.records++;
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    } catch (error) {
      this.#problems.push(`a client of Kafka beside it: ${String(error)}`);
    }
  }

  async #roundTrip(): Promise<void> {
    const batch = batchOf(`${this.records} ${'x'.repeat(this.records % 300)}`, this.records);
    const request = produceRequest(this.#topic, 0, batch);
    const produced = await this.#client.ask('Produce', 9, request);
    const told = JSON.stringify(produced);
    if (!told.includes(`"errorCode":0,"baseOffset":${this.records},`)) {
      throw new Error(`record ${this.records} was answered ${told}`);
    }
    const question = fetchRequest(this.#topic, 0, this.records);
    const fetched = await this.#client.ask('Fetch', 12, question);
    const bytes = recordsIn(fetched);
    // All but the offset and the epoch, which the broker sets, is as it was sent.
    if (Buffer.compare(bytes.subarray(16), Buffer.from(batch.subarray(16))) !== 0) {
      throw new Error(`record ${this.records} came back as ${bytes.toString('hex')}`);
    }
  }
}
