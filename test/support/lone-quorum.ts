import type { Env } from '../../src/env/ports.ts';
import { formingRecords } from '../../src/metadata/forming-records.ts';
import { encodeMetadataRecord } from '../../src/metadata/metadata-record-codec.ts';
import { assert } from '../../src/model/assert.ts';
import type { NodeId } from '../../src/model/ids.ts';
import { MetadataQuorum, NO_PEERS } from '../../src/quorum/metadata-quorum.ts';
import type { SnapshotSource } from '../../src/quorum/quorum-driver.ts';
import { decodeRecords } from '../../src/quorum/quorum-entry.ts';
import { cannotStore } from '../../src/quorum/quorum-errors.ts';
import type { Member } from '../../src/raft/configuration.ts';
import type { Entry } from '../../src/raft/entry.ts';
import type { Logger } from '../../src/telemetry/logger.ts';

export interface LoneQuorumOptions {
  readonly dataDirectory: string;
  readonly nodeId: NodeId;
  readonly snapshotIntervalEntries: number;
  onFatal(error: unknown): void;
}

export interface CommittedEntry {
  readonly position: number;
  readonly records: readonly Uint8Array[];
}

/** The metadata log of one node, with what is committed as a list instead of a state. */
export class LoneQuorum {
  readonly #nodeId: NodeId;
  readonly #quorum: MetadataQuorum;
  #entries: CommittedEntry[] = [];
  #waiting: { position: number; resolve(): void; reject(error: Error): void }[] = [];
  #source: () => SnapshotSource = () => ({ position: 0, records: () => [] });
  #applied = 1;
  #failure: Error | undefined;
  #isLoading = true;

  /** For `open`. */
  constructor(nodeId: NodeId, quorum: MetadataQuorum) {
    this.#nodeId = nodeId;
    this.#quorum = quorum;
  }

  /** Leads, if there is a cluster. */
  static async open(options: LoneQuorumOptions, env: Env, logger: Logger): Promise<LoneQuorum> {
    let lone: LoneQuorum | undefined;
    const onFatal = (error: unknown): void => {
      if (lone?.failed(cannotStore(error)) === true) options.onFatal(error);
    };
    const quorum = await MetadataQuorum.open({ ...options, onFatal }, env, logger);
    lone = new LoneQuorum(options.nodeId, quorum);
    try {
      if (quorum.isBegun) await lone.#lead(quorum.storage.snapshot!.configuration.voters[0]!);
    } catch (error) {
      await lone.close().catch(() => {});
      throw error instanceof Error && error.cause instanceof Error ? error.cause : error;
    }
    return lone;
  }

  get isFormed(): boolean {
    return this.#quorum.storage.hardState.last.index > 0;
  }

  get epoch(): number {
    return this.#quorum.storage.hardState.epoch;
  }

  get nextPosition(): number {
    return this.#quorum.nextPosition;
  }

  async form(clusterId: string, directoryId: string): Promise<void> {
    assert(!this.isFormed, 'a cluster is formed once');
    if (this.#failure !== undefined) throw this.#failure;
    const self = { id: this.#nodeId, directoryId };
    try {
      await this.#quorum.begin({ voters: [self], learners: [] });
      await this.#lead(self, clusterId);
    } catch (error) {
      this.#failure ??= cannotStore(error);
      throw error;
    }
  }

  /** What is committed and was not taken before. */
  takeEntries(): CommittedEntry[] {
    return this.#entries.splice(0);
  }

  provideSnapshots(source: () => SnapshotSource): void {
    this.#source = source;
  }

  append(records: readonly Uint8Array[]): number {
    return this.#quorum.append(records);
  }

  committed(position: number): Promise<void> {
    if (position <= this.#applied) return Promise.resolve();
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ position, resolve, reject });
    });
  }

  /** For `open`. True if that is for the owner to know: what fails while it leads for the first time is thrown. */
  failed(error: Error): boolean {
    this.#failure = error;
    for (const { reject } of this.#waiting.splice(0)) reject(error);
    return !this.#isLoading;
  }

  close(): Promise<void> {
    return this.#quorum.close();
  }

  async #lead(self: Member, clusterId?: string): Promise<void> {
    this.#quorum.start(self, NO_PEERS, {
      apply: (entries) => this.#apply(entries),
      restore: ({ last }, records) => {
        this.#entries.push({ position: last.index, records });
        this.#applied = last.index + 1;
      },
      became: (role) => {
        if (role !== 'leader' || clusterId === undefined) return;
        this.append(formingRecords(clusterId, self.directoryId).map(encodeMetadataRecord));
      },
      snapshot: () => this.#source(),
    });
    await this.committed(this.nextPosition);
    this.#isLoading = false;
  }

  #apply(entries: readonly Entry[]): void {
    for (const { index: position, ...entry } of entries) {
      if (entry.kind !== 'command') continue;
      if (this.#isLoading) this.#entries.push({ position, records: decodeRecords(entry.bytes) });
    }
    this.#applied = entries.at(-1)!.index + 1;
    const waiting = this.#waiting;
    this.#waiting = waiting.filter(({ position }) => position > this.#applied);
    for (const each of waiting) if (each.position <= this.#applied) each.resolve();
  }
}
