import { idBytes } from '../../src/kafka/topics.ts';
import { topicByName } from '../../src/metadata/image.ts';
import { BatchView } from '../../src/records/batch-view.ts';
import type { SimulatedRandom } from '../simulation/env/simulated-random.ts';
import { answerOf, apiNamed, requestFrame } from '../support/kafka-requests.ts';
import { BrokerWorld } from '../unit/broker/broker-world.ts';
import { ConnectionWorld } from '../unit/kafka/connection-world.ts';
import { makeBatch } from '../unit/log/log-world.ts';

const PARTITIONS = 3;
const NO_ID = new Uint8Array(16);
/** What the broker sets in a batch: its offset, and behind its length the epoch. */
const OFFSET_BYTES = 8;
const EPOCH = { from: 12, to: 16 };

interface Stored {
  readonly from: number;
  readonly to: number;
  readonly batch: Uint8Array;
}

interface ProducedPartition {
  readonly index: number;
  readonly errorCode: number;
  readonly baseOffset: number;
}

interface FetchedPartition {
  readonly partitionIndex: number;
  readonly errorCode: number;
  readonly highWatermark: number;
  readonly records: readonly Uint8Array[] | null;
}

interface Question {
  readonly partition: number;
  readonly fetchOffset: number;
  readonly partitionMaxBytes: number;
}

/** Producers and readers of Kafka's protocol on one broker, beside a model of what it has to hold. */
export class KafkaLogRun {
  readonly did = new Map<string, number>();
  readonly #random: SimulatedRandom;
  readonly #broker: BrokerWorld;
  readonly #producer: ConnectionWorld;
  readonly #reader: ConnectionWorld;
  /** Batches by partition, as their answers said where they are. */
  readonly #stored: Stored[][] = Array.from({ length: PARTITIONS }, () => []);
  #values = 0;

  static async open(random: SimulatedRandom): Promise<KafkaLogRun> {
    const settings = { 'log.retention.ms': '-1', 'log.segment.bytes': '16KiB' };
    const broker = await BrokerWorld.open({
      ...settings,
      'log.tail.cache.bytes': random.pick(['0', '2000', '1000000']),
    });
    await broker.createTopic('t', PARTITIONS);
    return new KafkaLogRun(random, broker);
  }

  private constructor(random: SimulatedRandom, broker: BrokerWorld) {
    this.#random = random;
    this.#broker = broker;
    this.#producer = new ConnectionWorld(broker);
    this.#reader = new ConnectionWorld(broker);
  }

  async go(): Promise<void> {
    for (let step = 0; step < 25; step++) {
      if (this.#random.chance(0.3)) this.#broker.stallDisk(this.#random.below(50), 3);
      await (this.#random.chance(0.5) ? this.#produce() : this.#fetch());
    }
    await this.#readAll();
    for (const { memory, unexpected } of [this.#producer, this.#reader]) {
      if (unexpected.length > 0) throw new Error('something unexpected was met');
      if (memory.usedBytes !== 0) throw new Error(`${memory.usedBytes} bytes were not given back`);
    }
  }

  #note(what: string): void {
    this.did.set(what, (this.did.get(what) ?? 0) + 1);
  }

  /** Several requests at once, some with a batch that is none, and a fetch meanwhile. */
  async #produce(): Promise<void> {
    const random = this.#random;
    const api = apiNamed('Produce');
    const version = random.between(api.versions.first, api.versions.last);
    const requests = Array.from({ length: random.between(1, 4) }, () => this.#request());
    const { wire } = this.#producer;
    const before = wire.frames.length;
    await this.#producer.send(
      ...requests.map((request, id) => requestFrame(api, version, id, request)),
    );
    if (random.chance(0.5)) await this.#fetch();
    const answered = requests.flatMap(({ acks }, id) => (acks === 0 ? [] : [id]));
    await this.#broker.until(() => wire.frames.length === before + answered.length);
    if (wire.answered.slice(before).join() !== answered.join()) {
      throw new Error(`answered ${wire.answered.slice(before)} of ${answered}`);
    }
    for (const [id, { topicData }] of requests.entries()) {
      const at = answered.indexOf(id);
      const { partitionData } = topicData[0]!;
      if (at < 0) {
        // It is stored in its turn, and nobody says so.
        for (const { index, records } of partitionData) this.#store(index, records[0]!);
        continue;
      }
      const answer = answerOf(api, version, wire.frames[before + at]!) as unknown as {
        responses: readonly { partitionResponses: readonly ProducedPartition[] }[];
      };
      this.#learn(partitionData, answer.responses[0]!.partitionResponses);
    }
  }

  #request() {
    const random = this.#random;
    const acks = random.pick([-1, -1, 1, 0]);
    // Without acks what is refused ends the connection.
    const damaged = acks === 0 ? 0 : 0.1;
    const partitionData = Array.from({ length: PARTITIONS }, (_, index) => index)
      .filter(() => random.chance(0.6))
      .map((index) => {
        const batch = makeBatch({
          count: random.between(1, 4),
          valueBytes: random.between(1, 400),
          tag: this.#values++,
        });
        return { index, records: [random.chance(damaged) ? batch.subarray(0, -1) : batch] };
      });
    const topicData = [{ name: 't', partitionData }];
    return { transactionalId: null, acks, timeoutMs: 60_000, topicData };
  }

  #learn(
    sent: readonly { readonly index: number; readonly records: readonly Uint8Array[] }[],
    answers: readonly ProducedPartition[],
  ): void {
    if (answers.length !== sent.length)
      throw new Error(`${answers.length} of ${sent.length} answers`);
    for (const [at, { index, records }] of sent.entries()) {
      const { errorCode, baseOffset } = answers[at]!;
      const batch = records[0]!;
      const isWhole =
        new DataView(batch.buffer, batch.byteOffset).getInt32(8) + 12 === batch.length;
      this.#note(isWhole ? 'stored' : 'refused');
      if (isWhole !== (errorCode === 0)) throw new Error(`a batch was answered ${errorCode}`);
      if (!isWhole) continue;
      const from = this.#store(index, batch);
      if (baseOffset !== from) throw new Error(`a batch is at ${baseOffset}, it should be ${from}`);
    }
  }

  /** Returns where it has to be. */
  #store(partition: number, batch: Uint8Array): number {
    const from = this.#endOf(partition);
    const to = from + new BatchView(batch, 0).lastOffsetDelta + 1;
    this.#stored[partition]!.push({ from, to, batch });
    return from;
  }

  #endOf(partition: number): number {
    return this.#stored[partition]!.at(-1)?.to ?? 0;
  }

  async #fetch(): Promise<void> {
    const random = this.#random;
    const questions = Array.from({ length: PARTITIONS }, (_, partition) => partition)
      .filter(() => random.chance(0.7))
      .map((partition) => ({
        partition,
        fetchOffset: random.below(this.#endOf(partition) + 1),
        partitionMaxBytes: random.pick([0, 1, 500, 5000, 1_000_000]),
      }));
    const maxBytes = random.pick([0, 1, 700, 3000, 1_000_000]);
    await this.#ask(questions, maxBytes, random.pick([0, 20]));
  }

  async #ask(questions: readonly Question[], maxBytes: number, maxWaitMs: number): Promise<number> {
    const api = apiNamed('Fetch');
    const version = this.#random.between(api.versions.first, api.versions.last);
    const topicId = idBytes(topicByName(this.#broker.broker.image, 't')!.topicId);
    const partitions = questions.map((question) => ({
      ...{ currentLeaderEpoch: -1, lastFetchedEpoch: -1, logStartOffset: -1 },
      ...{ replicaDirectoryId: NO_ID, ...question },
    }));
    const answer = await this.#reader.ask('Fetch', version, {
      ...{ clusterId: null, replicaId: -1, replicaState: null, maxWaitMs, minBytes: 1, maxBytes },
      ...{ isolationLevel: this.#random.below(2), sessionId: 0, sessionEpoch: -1, rackId: '' },
      ...{ topics: [{ topic: 't', topicId, partitions }], forgottenTopicsData: [] },
    });
    const { responses } = answer as unknown as {
      responses: readonly { partitions: readonly FetchedPartition[] }[];
    };
    const answers = responses[0]!.partitions;
    if (answers.length !== questions.length) throw new Error('a partition has no answer');
    let bytes = 0;
    for (const [at, question] of questions.entries()) {
      bytes += this.#checkAnswer(question, answers[at]!, maxBytes, bytes);
    }
    return bytes;
  }

  /** Returns how many bytes came. */
  #checkAnswer(
    { partition, fetchOffset, partitionMaxBytes }: Question,
    { partitionIndex, errorCode, highWatermark, records }: FetchedPartition,
    maxBytes: number,
    bytesBefore: number,
  ): number {
    const what = `${partition} from ${fetchOffset}`;
    if (partitionIndex !== partition || errorCode !== 0) throw new Error(`${what}: ${errorCode}`);
    const bytes = new Uint8Array(Buffer.concat(records ?? []));
    let next = fetchOffset;
    let count = 0;
    for (let at = 0; at < bytes.length; count++) {
      const view = new BatchView(bytes, at);
      const end = view.baseOffset + view.lastOffsetDelta + 1;
      // The first batch may begin before what was asked for.
      const follows =
        count === 0 ? view.baseOffset <= next && end > next : view.baseOffset === next;
      if (!follows) throw new Error(`${what}: ${view.baseOffset} to ${end} comes at ${next}`);
      if (end > highWatermark) throw new Error(`${what}: ${end} is beyond ${highWatermark}`);
      this.#checkBatch(partition, view.baseOffset, bytes.subarray(at, at + view.sizeInBytes));
      next = end;
      at += view.sizeInBytes;
    }
    const mayBeLarge = bytesBefore === 0 && count === 1;
    const limit = Math.min(partitionMaxBytes, maxBytes - bytesBefore);
    if (bytes.length > limit && bytes.length > 0 && !mayBeLarge) {
      throw new Error(`${what}: ${bytes.length} bytes came, ${limit} were wanted`);
    }
    if (count === 0 && bytesBefore === 0 && fetchOffset < highWatermark) {
      throw new Error(`${what}: nothing came, there is something up to ${highWatermark}`);
    }
    this.#note(count === 0 ? 'empty' : mayBeLarge && bytes.length > limit ? 'large' : 'read');
    return bytes.length;
  }

  /** The batch is as it was sent, but for what the broker sets. One that is not answered yet is not known. */
  #checkBatch(partition: number, from: number, batch: Uint8Array): void {
    const stored = this.#stored[partition]!.find((each) => each.from === from);
    if (stored === undefined && from < this.#endOf(partition))
      throw new Error(`none is at ${from}`);
    if (stored === undefined) return;
    const parts = (bytes: Uint8Array) => [
      bytes.subarray(OFFSET_BYTES, EPOCH.from),
      bytes.subarray(EPOCH.to),
    ];
    if (Buffer.compare(Buffer.concat(parts(batch)), Buffer.concat(parts(stored.batch))) !== 0) {
      throw new Error(`the batch at ${from} is another`);
    }
  }

  /** Everything that was answered is there, and comes in steps of whatever size. */
  async #readAll(): Promise<void> {
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const partitionMaxBytes = this.#random.pick([1, 1000, 1_000_000]);
      for (const { from } of this.#stored[partition]!) {
        const came = await this.#ask(
          [{ partition, fetchOffset: from, partitionMaxBytes }],
          partitionMaxBytes,
          1000,
        );
        if (came === 0) throw new Error(`nothing is at ${from} of ${partition}`);
      }
    }
  }
}
