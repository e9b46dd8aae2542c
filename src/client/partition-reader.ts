import type { TopicPartition } from '../model/ids.ts';
import type { FetchConnection } from './fetch-connection.ts';

/** Where a partition is being read. */
export interface ReaderLink {
  readonly connection: FetchConnection;
  /** What comes with another one was asked for before a seek. */
  readonly correlationId: number;
}

/** How far one partition has been read. Pure. */
export class PartitionReader implements TopicPartition {
  readonly topic: string;
  readonly partition: number;
  /** The topic that was found at the start; another one of the same name is not read. */
  readonly topicId: string;
  /** Exclusive end of what is to be read. */
  readonly endOffset: number;
  #position: number;
  #fetchOffset: number;
  #generation = 0;
  link: ReaderLink | undefined;
  isPaused = false;
  /** It waits for an offset, or has failed: nothing is fetched. */
  isHalted = false;
  retryAtMs: number = Number.NEGATIVE_INFINITY;
  attempts = 0;

  constructor(
    { topic, partition }: TopicPartition,
    topicId: string,
    range: { readonly position: number; readonly endOffset: number },
  ) {
    this.topic = topic;
    this.partition = partition;
    this.topicId = topicId;
    this.endOffset = range.endOffset;
    this.#position = range.position;
    this.#fetchOffset = range.position;
  }

  /** Offset of the next record to hand out. */
  get position(): number {
    return this.#position;
  }

  /** Offset of the next record to fetch: what lies between is here already. */
  get fetchOffset(): number {
    return this.#fetchOffset;
  }

  /** What was fetched under an older number is no longer wanted. */
  get generation(): number {
    return this.#generation;
  }

  get isFinished(): boolean {
    return this.#position >= this.endOffset;
  }

  /** Records below `offset` have been handed out or passed over. */
  advance(offset: number): void {
    if (offset > this.#position) this.#position = offset;
  }

  /** Records below `offset` are here. */
  fetched(offset: number): void {
    if (offset > this.#fetchOffset) this.#fetchOffset = offset;
    this.attempts = 0;
  }

  /** Goes on at `offset`; all that was fetched is dropped. */
  moveTo(offset: number): void {
    this.#position = offset;
    this.#fetchOffset = offset;
    this.#generation++;
    this.link = undefined;
    this.isHalted = false;
    this.retryAtMs = Number.NEGATIVE_INFINITY;
  }

  /** Drops what was fetched and not handed out. */
  rewind(): void {
    this.moveTo(this.#position);
  }
}

/** The readers of a consumer, by topic and partition. */
export class ReaderTable {
  readonly #all: PartitionReader[] = [];
  readonly #byTopic = new Map<string, (PartitionReader | undefined)[]>();

  /** In the order in which they were added. */
  get all(): readonly PartitionReader[] {
    return this.#all;
  }

  get(topic: string, partition: number): PartitionReader | undefined {
    return this.#byTopic.get(topic)?.[partition];
  }

  add(reader: PartitionReader): void {
    this.#all.push(reader);
    const ofTopic = this.#byTopic.get(reader.topic) ?? [];
    ofTopic[reader.partition] = reader;
    this.#byTopic.set(reader.topic, ofTopic);
  }
}
