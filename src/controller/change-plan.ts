import { type MetadataImage, replay } from '../metadata/image.ts';
import type { MetadataRecord, PartitionRecord } from '../metadata/metadata-records.ts';
import { leaderEpoch, type NodeId, type TopicId } from '../model/ids.ts';
import { type Refusal, refuse } from './refusal.ts';

/**
 * One request may not change more than this: it is one entry of the log, and all others wait while
 * it is worked on. Room for the largest topic with all its settings.
 */
const MAX_RECORDS_PER_REQUEST = 20_000;

/**
 * The changes that one request makes, item by item: every item is checked against the metadata as
 * the items before it leave it.
 */
export class ChangePlan {
  readonly #position: number;
  readonly #records: MetadataRecord[] = [];
  #image: MetadataImage;

  constructor(image: MetadataImage, position: number) {
    this.#image = image;
    this.#position = position;
  }

  /** The metadata with the changes so far. */
  get image(): MetadataImage {
    return this.#image;
  }

  get records(): readonly MetadataRecord[] {
    return this.#records;
  }

  /** Why so many more records are too many. To be asked before they are made, if there can be many. */
  checkRoom(count: number): Refusal | null {
    if (this.#records.length + count <= MAX_RECORDS_PER_REQUEST) return null;
    return refuse(
      'POLICY_VIOLATION',
      `the request changes too much at once, at most ${MAX_RECORDS_PER_REQUEST} topics, partitions and settings are possible`,
    );
  }

  /** Adds the changes of an item, all or, if the request gets too large, none. */
  add(records: readonly MetadataRecord[]): Refusal | null {
    const refusal = this.checkRoom(records.length);
    if (refusal !== null) return refusal;
    for (const record of records) {
      this.#image = replay(this.#image, record, this.#position);
      this.#records.push(record);
    }
    return null;
  }
}

/** Records of new partitions from `firstIndex` on, led by the first replica of each. */
export function newPartitions(
  topicId: TopicId,
  firstIndex: number,
  placed: readonly (readonly NodeId[])[],
): PartitionRecord[] {
  return placed.map((replicas, i) => ({
    type: 'partition',
    topicId,
    index: firstIndex + i,
    replicas,
    isr: replicas,
    leader: replicas[0]!,
    leaderEpoch: leaderEpoch(0),
    partitionEpoch: 0,
  }));
}
