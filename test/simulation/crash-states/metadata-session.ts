import { formingRecords } from '../../../src/metadata/forming-records.ts';
import { nodeId } from '../../../src/model/ids.ts';
import { silentLogger } from '../../../src/telemetry/logger.ts';
import { LoneQuorum } from '../../support/lone-quorum.ts';
import type { SimulatedMachine } from '../env/simulated-env.ts';
import { ViolationError } from './expected-logs.ts';
import type { Subject } from './explorer.ts';

/** As in the worlds of logs, so that sites of syncs have the same names. */
const DIRECTORY = 'data';
/** The record that `form` writes; it alone begins with a zero, as its type is an int16. */
const CLUSTER = 'cluster';
/** The entry that makes a cluster. */
const FORMING: readonly string[] = formingRecords('c', 'd').map(() => CLUSTER);

/** What must hold of the metadata after a crash at a certain moment. */
export interface ExpectedMetadata {
  /** Entries as lists of records, in order: all that may be found. */
  readonly possible: readonly (readonly string[])[];
  /** How many of them must be. */
  readonly acknowledged: number;
  /** The highest epoch in which this node has led. */
  readonly epoch: number;
}

/** One process with the metadata log of a single voter. */
export class MetadataSession implements Subject<ExpectedMetadata> {
  readonly #machine: SimulatedMachine;
  readonly #snapshotIntervalEntries: number;
  #quorum: LoneQuorum | undefined;
  #possible: readonly (readonly string[])[] = [];
  #acknowledged = 0;
  #epoch = 0;
  /** What is committed, for snapshots. */
  #state: { position: number; records: string[] } = { position: 0, records: [] };
  #failure: unknown;
  #serial = 0;

  constructor(machine: SimulatedMachine, snapshotIntervalEntries: number) {
    this.#machine = machine;
    this.#snapshotIntervalEntries = snapshotIntervalEntries;
  }

  /** Opens the metadata, and makes a cluster if there is none. */
  async begin(): Promise<void> {
    const opened = await this.#open(this.#machine, () => {
      this.#possible = [FORMING];
    });
    this.#quorum = opened.quorum;
    const { records, position } = opened;
    this.#possible = entriesFound(records, this.expected());
    this.#acknowledged = this.#possible.length;
    this.#epoch = opened.quorum.epoch;
    this.#state = { position, records };
    opened.quorum.provideSnapshots(() => ({
      position: this.#state.position,
      records: () => this.#state.records.map((text) => new TextEncoder().encode(text)),
    }));
  }

  /** Appends an entry of some records; resolves when it is acknowledged. */
  async append(records: number, bytes = 4): Promise<void> {
    const quorum = this.#quorum!;
    const serial = this.#serial++;
    const entry = Array.from({ length: records }, (_, i) =>
      `${quorum.epoch}.${serial}.${i}`.padEnd(bytes, '.'),
    );
    const position = quorum.append(entry.map((text) => new TextEncoder().encode(text)));
    this.#possible = [...this.#possible, entry];
    const count = this.#possible.length;
    await quorum.committed(position);
    this.#acknowledged = Math.max(this.#acknowledged, count);
    this.#state = { position, records: [...this.#state.records, ...entry] };
  }

  async close(): Promise<void> {
    await this.#quorum?.close();
    if (this.#failure !== undefined) throw this.#failure;
  }

  expected(): ExpectedMetadata {
    return { possible: this.#possible, acknowledged: this.#acknowledged, epoch: this.#epoch };
  }

  keyOf({ possible, acknowledged, epoch }: ExpectedMetadata): string {
    return `${possible.length} ${acknowledged} ${epoch}`;
  }

  async inspect(): Promise<readonly string[]> {
    return [];
  }

  async reopen(machine: SimulatedMachine, expected: ExpectedMetadata): Promise<string> {
    const { quorum, records } = await this.#open(machine, () => {
      if (expected.acknowledged > 0) throw new ViolationError('the cluster is gone');
    });
    const entries = expected.possible.length === 0 ? [FORMING] : expected.possible;
    entriesFound(records, { ...expected, possible: entries });
    if (quorum.epoch <= expected.epoch) {
      throw new ViolationError(`epoch ${quorum.epoch} is used again`);
    }
    return records.join();
  }

  async #open(
    machine: SimulatedMachine,
    onEmpty: () => void,
  ): Promise<{ quorum: LoneQuorum; records: string[]; position: number }> {
    const { files } = machine.env;
    await files.makeDirectory(DIRECTORY);
    await files.syncDirectory('.');
    const quorum = await LoneQuorum.open(
      {
        dataDirectory: DIRECTORY,
        nodeId: nodeId(1),
        snapshotIntervalEntries: this.#snapshotIntervalEntries,
        onFatal: (error) => {
          this.#failure ??= error;
        },
      },
      machine.env,
      silentLogger,
    );
    if (!quorum.isFormed) {
      onEmpty();
      await quorum.form('c', 'd');
    }
    const entries = quorum.takeEntries();
    const records = entries.flatMap((entry) => entry.records.map(textOf));
    return { quorum, records, position: entries.at(-1)!.position + 1 };
  }
}

const textOf = (bytes: Uint8Array): string =>
  bytes[0] === 0 ? CLUSTER : new TextDecoder().decode(bytes);

/** Entries that were found: the first of the possible ones, and at least those that were acknowledged. */
function entriesFound(
  found: readonly string[],
  { possible, acknowledged }: ExpectedMetadata,
): readonly (readonly string[])[] {
  let count = 0;
  let length = 0;
  while (length < found.length && count < possible.length) length += possible[count++]!.length;
  const entries = possible.slice(0, count);
  if (entries.flat().join() !== found.join()) {
    throw new ViolationError(`the metadata is ${found}, which is no beginning of ${possible}`);
  }
  if (count < acknowledged) {
    throw new ViolationError(`${acknowledged} entries were acknowledged, ${count} are found`);
  }
  return entries;
}
