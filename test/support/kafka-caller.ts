import { connect } from 'node:net';
import { BatchBuilder } from '../../src/records/batch-builder.ts';
import type { Message } from './kafka-messages.ts';
import { answerOf, apiNamed, requestFrame } from './kafka-requests.ts';
import { RawKafkaClient } from './raw-kafka.ts';

const NO_ID = new Uint8Array(16);

/** One connection that speaks Kafka's protocol, a request at a time. */
export class KafkaCaller {
  readonly #client: RawKafkaClient;
  #asked = 0;

  constructor(address: string) {
    const [host, port] = address.split(':') as [string, string];
    this.#client = new RawKafkaClient(connect(Number(port), host));
  }

  async ask(name: string, version: number, message: Message): Promise<Message> {
    const api = apiNamed(name);
    const id = this.#asked++;
    const frame = await this.#client.ask(requestFrame(api, version, id, message));
    if (frame === null) throw new Error(`the connection was closed on ${name} ${id}`);
    if (frame.readInt32BE(4) !== id) throw new Error('an answer to another request came');
    return answerOf(api, version, frame);
  }

  close(): void {
    this.#client.socket.destroy();
  }
}

/** A batch of one record. */
export function batchOf(text: string, timestampMs: number): Uint8Array {
  const builder = new BatchBuilder({ compression: 0 });
  builder.append({ key: null, value: Buffer.from(text), timestampMs });
  return builder.build().slice();
}

/** Produce 9 of one batch, to be stored by all. */
export const produceRequest = (name: string, index: number, batch: Uint8Array): Message => ({
  ...{ transactionalId: null, acks: -1, timeoutMs: 30_000 },
  topicData: [{ name, partitionData: [{ index, records: [batch] }] }],
});

/** Fetch 12 of one batch. */
export function fetchRequest(topic: string, partition: number, fetchOffset: number): Message {
  const asked = {
    ...{ partition, currentLeaderEpoch: -1, fetchOffset, lastFetchedEpoch: -1 },
    ...{ logStartOffset: -1, partitionMaxBytes: 1, replicaDirectoryId: NO_ID },
  };
  return {
    ...{ clusterId: null, replicaId: -1, replicaState: null, maxWaitMs: 1000, minBytes: 1 },
    ...{ maxBytes: 1, isolationLevel: 0, sessionId: 0, sessionEpoch: -1, rackId: '' },
    topics: [{ topic, topicId: NO_ID, partitions: [asked] }],
    forgottenTopicsData: [],
  };
}

/** What the answer to such a Fetch holds. */
export function recordsIn(answer: Message): Buffer {
  const { responses } = answer as {
    responses?: readonly { partitions: readonly { records: readonly Uint8Array[] | null }[] }[];
  };
  return Buffer.concat(responses?.[0]?.partitions[0]?.records ?? []);
}
