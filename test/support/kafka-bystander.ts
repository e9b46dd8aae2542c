import { connect } from 'node:net';
import { BatchBuilder } from '../../src/records/batch-builder.ts';
import type { Message } from './kafka-messages.ts';
import { answerOf, apiNamed, requestFrame } from './kafka-requests.ts';
import { RawKafkaClient } from './raw-kafka.ts';

const NO_ID = new Uint8Array(16);
const LEAST_RECORDS = 5;

/**
 * A client of Kafka's protocol beside what somebody else does, on one connection: each record that it
 * produces has to get the next offset, and to come back when it is fetched.
 */
export class KafkaBystander {
  readonly #client: RawKafkaClient;
  readonly #topic: string;
  readonly #problems: string[] = [];
  #running: Promise<void> = Promise.resolve();
  #isStopping = false;
  /** Records that were produced and read back so far. */
  records = 0;

  /** The topic is there, and empty. */
  constructor(address: string, topic: string) {
    const [host, port] = address.split(':') as [string, string];
    this.#client = new RawKafkaClient(connect(Number(port), host));
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
    this.#client.socket.destroy();
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
    const batch = batchOf(this.records);
    const produced = await this.#ask('Produce', 9, {
      ...{ transactionalId: null, acks: -1, timeoutMs: 30_000 },
      topicData: [{ name: this.#topic, partitionData: [{ index: 0, records: [batch] }] }],
    });
    const told = JSON.stringify(produced);
    if (!told.includes(`"errorCode":0,"baseOffset":${this.records},`)) {
      throw new Error(`record ${this.records} was answered ${told}`);
    }
    const fetched = await this.#ask('Fetch', 12, this.#question());
    const bytes = recordsIn(fetched);
    // All but the offset and the epoch, which the broker sets, is as it was sent.
    if (Buffer.compare(bytes.subarray(16), Buffer.from(batch.subarray(16))) !== 0) {
      throw new Error(`record ${this.records} came back as ${bytes.toString('hex')}`);
    }
  }

  #question(): Message {
    const partition = {
      ...{ partition: 0, currentLeaderEpoch: -1, fetchOffset: this.records, lastFetchedEpoch: -1 },
      ...{ logStartOffset: -1, partitionMaxBytes: 1, replicaDirectoryId: NO_ID },
    };
    return {
      ...{ clusterId: null, replicaId: -1, replicaState: null, maxWaitMs: 1000, minBytes: 1 },
      ...{ maxBytes: 1, isolationLevel: 0, sessionId: 0, sessionEpoch: -1, rackId: '' },
      topics: [{ topic: this.#topic, topicId: NO_ID, partitions: [partition] }],
      forgottenTopicsData: [],
    };
  }

  async #ask(name: string, version: number, message: Message): Promise<Message> {
    const api = apiNamed(name);
    const frame = await this.#client.ask(requestFrame(api, version, this.records, message));
    if (frame === null) throw new Error(`the connection was closed on ${name} ${this.records}`);
    if (frame.readInt32BE(4) !== this.records) throw new Error('an answer to another request came');
    return answerOf(api, version, frame);
  }
}

function batchOf(number: number): Uint8Array {
  const builder = new BatchBuilder({ compression: 0 });
  const value = Buffer.from(`${number} ${'x'.repeat(number % 300)}`);
  builder.append({ key: null, value, timestampMs: number });
  return builder.build().slice();
}

function recordsIn(answer: Message): Buffer {
  const { responses } = answer as {
    responses?: readonly { partitions: readonly { records: readonly Uint8Array[] | null }[] }[];
  };
  return Buffer.concat(responses?.[0]?.partitions[0]?.records ?? []);
}
