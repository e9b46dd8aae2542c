import {
  type CommitListener,
  CoordinatorRuntime,
  type Shard,
} from '../coordinator/coordinator-runtime.ts';
import type { ShardLog } from '../coordinator/shard-log.ts';
import { orAbort } from '../env/abortable.ts';
import { formingRecords } from '../metadata/forming-records.ts';
import { emptyImage, imageRecords, type MetadataImage, replay } from '../metadata/image.ts';
import { decodeMetadataRecord, encodeMetadataRecord } from '../metadata/metadata-record-codec.ts';
import type { MetadataRecord } from '../metadata/metadata-records.ts';
import { ApiError, Errors } from '../model/errors.ts';
import type { LeaderEpoch, NodeId } from '../model/ids.ts';
import type { MetadataMachine } from '../quorum/metadata-quorum.ts';
import type { SnapshotSource } from '../quorum/quorum-driver.ts';
import { decodeRecords } from '../quorum/quorum-entry.ts';
import type { Configuration, Member } from '../raft/configuration.ts';
import type { RoleName } from '../raft/effects.ts';
import type { Entry, SnapshotMeta } from '../raft/entry.ts';

/** Most requests that wait for a commit; more are answered BROKER_OVERLOADED. */
const MAX_WAITING = 10_000;

/** The runtime that changes the metadata, while this node leads. */
export type MetadataRuntime = CoordinatorRuntime<MetadataImage, MetadataRecord>;

/** Who forms a cluster, and what it is called: the first record of its log. */
export interface ClusterIdentity {
  readonly clusterId: string;
  /** Data directory of the node that writes this down. */
  readonly directoryId: string;
}

const shard: Shard<MetadataImage, MetadataRecord> = { replay, encode: encodeMetadataRecord };

/**
 * The metadata of the cluster as this node has them: all that is committed and has come here, on every
 * node. On the one that leads the log they are changed here, too: from when all is applied that was in the
 * log when it was elected, until it leads no more.
 */
export class MetadataReplica implements MetadataMachine {
  readonly #log: ShardLog;
  readonly #identity: ClusterIdentity;
  readonly #listeners = new Set<CommitListener<MetadataImage>>();
  readonly #leaderListeners = new Set<() => void>();
  #image: MetadataImage = emptyImage;
  #position = 0;
  readonly #waiting = new Set<{ readonly position: number; resolve(): void }>();
  #role: RoleName = 'follower';
  #leader: Member | null = null;
  #runtime: MetadataRuntime | null = null;
  /** The end of the log when this node was elected: all of it is committed with the entry that begins its epoch. */
  #electedAt = 0;
  #onMembers: (members: Configuration) => void = () => {};
  /** Called when this node begins and ceases to be the active controller. */
  #onActive: (isActive: boolean) => void = () => {};

  /** @param identity what a leader writes down that finds no cluster in the log */
  constructor(log: ShardLog, identity: ClusterIdentity) {
    this.#log = log;
    this.#identity = identity;
  }

  /** The committed metadata. */
  get image(): MetadataImage {
    return this.#image;
  }

  /** `null` while this node is not the active controller. */
  get runtime(): MetadataRuntime | null {
    return this.#runtime;
  }

  /** The node that leads, as far as this one knows. */
  get leaderId(): NodeId | null {
    return this.#leader?.id ?? null;
  }

  /** Calls `listener` once for every change of the image from now on; the result ends that. */
  onImage(listener: CommitListener<MetadataImage>): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Calls `listener` whenever another node leads, or none, or the same in a new epoch; the result ends that. */
  onLeader(listener: () => void): () => void {
    this.#leaderListeners.add(listener);
    return () => this.#leaderListeners.delete(listener);
  }

  /** Everything below this position of the log has come here. */
  get position(): number {
    return this.#position;
  }

  /** Resolves when everything below `position` is in the image; rejects with the signal's reason. */
  async reached(position: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (position <= this.#position) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const waiting = { position, resolve };
    this.#waiting.add(waiting);
    await orAbort(promise, signal).finally(() => this.#waiting.delete(waiting));
  }

  /** For the one who speaks to the members: called when others are so, and that is committed. */
  whenMembersChange(listener: (members: Configuration) => void): void {
    this.#onMembers = listener;
  }

  /** For the one who does what the active controller does on its own. */
  whenActive(listener: (isActive: boolean) => void): void {
    this.#onActive = listener;
  }

  /** @throws NewerFormatError if a newer version of the program has written it */
  apply(entries: readonly Entry[]): void {
    const members = entries.findLast((entry) => entry.kind === 'configuration');
    if (members !== undefined) this.#onMembers(members.configuration);
    if (this.#runtime !== null) {
      // All commands since it began are its own, and replayed already.
      this.#runtime.committedTo(entries.at(-1)!.index + 1);
      this.#positionIs(entries.at(-1)!.index + 1);
      return;
    }
    let image = this.#image;
    for (const entry of entries) {
      if (entry.kind !== 'command') continue;
      image = replayed(image, decodeRecords(entry.bytes), entry.index);
    }
    this.#imageIs(image);
    this.#positionIs(entries.at(-1)!.index + 1);
    if (this.#role === 'leader' && entries.at(-1)!.index >= this.#electedAt) this.#lead();
  }

  /** @throws NewerFormatError if a newer version of the program has written it */
  restore({ last, configuration }: SnapshotMeta, records: readonly Uint8Array[]): void {
    this.#onMembers(configuration);
    this.#imageIs(replayed(emptyImage, records, last.index));
    this.#positionIs(last.index + 1);
  }

  became(role: RoleName, _epoch: LeaderEpoch, leader: Member | null): void {
    this.#role = role;
    this.#leader = leader;
    if (role === 'leader') this.#elected();
    else this.resign();
    for (const listener of this.#leaderListeners) listener();
  }

  snapshot(): SnapshotSource {
    const { image } = this;
    return {
      position: image.position,
      records: () => encodedRecords(image),
    };
  }

  /** Whatever was asked for and is not committed: it is not known here what becomes of it. */
  resign(cause?: unknown): void {
    const runtime = this.#runtime;
    if (runtime === null) return;
    this.#runtime = null;
    runtime.retire(cause);
    this.#onActive(false);
  }

  #elected(): void {
    const isNewLog = this.#log.nextPosition === FIRST_POSITION + 1;
    // With the entry that begins the epoch, so that both become durable at once.
    if (isNewLog) this.#log.append(this.#firstRecords.map(encodeMetadataRecord));
    this.#electedAt = this.#log.nextPosition - 1;
  }

  #lead(): void {
    const image = this.#image;
    const start = { position: this.#log.nextPosition, state: image };
    this.#runtime = new CoordinatorRuntime(
      { maxWaiting: MAX_WAITING },
      this.#log,
      shard,
      start,
      notKnown,
    );
    this.#runtime.onCommitted((_, after) => this.#imageIs(after));
    // The first leader may have lost its leadership before the first record was with the others.
    if (image.cluster === null) {
      const named = this.#runtime.write(() => ({ records: this.#firstRecords, response: null }));
      // Whoever leads next does it then.
      named.catch(() => {});
    }
    this.#onActive(true);
  }

  get #firstRecords(): MetadataRecord[] {
    return formingRecords(this.#identity.clusterId, this.#identity.directoryId);
  }

  #positionIs(position: number): void {
    this.#position = position;
    for (const one of this.#waiting) if (one.position <= position) one.resolve();
  }

  #imageIs(image: MetadataImage): void {
    const before = this.#image;
    if (image === before) return;
    this.#image = image;
    for (const listener of this.#listeners) listener(before, image);
  }
}

/** Of a log; what the cluster is formed of stands there. */
const FIRST_POSITION = 1;

/** One by one: of a large cluster they take longer than others can wait. */
function* encodedRecords(image: MetadataImage): Generator<Uint8Array> {
  for (const record of imageRecords(image)) yield encodeMetadataRecord(record);
}

function replayed(
  image: MetadataImage,
  records: readonly Uint8Array[],
  position: number,
): MetadataImage {
  let next = image;
  for (const record of records) next = replay(next, decodeMetadataRecord(record), position);
  return next;
}

/** Not NOT_CONTROLLER, after which it would be asked for again: perhaps it was made. */
const notKnown = (cause: unknown): ApiError =>
  new ApiError(
    Errors.REQUEST_TIMED_OUT,
    'this node is no longer the active controller; it is not known whether the change was made',
    { cause },
  );
