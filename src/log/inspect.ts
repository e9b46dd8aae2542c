import { CorruptError } from '../codec/reader.ts';
import type { File, FileSystem } from '../env/ports.ts';
import type { Offset } from '../model/ids.ts';
import type { BatchView } from '../records/batch-view.ts';
import { BatchScanner } from './batch-scanner.ts';
import { offsetFile, parseOffsetFile } from './file-names.ts';
import { readIfThere } from './index-files.ts';
import { OffsetIndex } from './offset-index.ts';
import { offsetsOf } from './producer-files.ts';
import { decodeKafkaProducers, decodeOwnProducers } from './producer-snapshot.ts';
import { TimeIndex } from './time-index.ts';

/** A batch as it stands in a segment file. The view is good until the next one is asked for. */
export interface InspectedBatch {
  readonly file: string;
  readonly position: number;
  readonly batch: BatchView;
}

/** Something that is not as it should be. */
export interface Finding {
  readonly file: string;
  /** Byte position, or -1 if it is about the whole file. */
  readonly position: number;
  readonly problem: string;
}

/**
 * Offline, read-only: the batches in the folder of a partition, ours or Kafka's, in order. At the
 * first unsound batch of a segment a `Finding` comes, and the rest of the segment is passed over.
 */
export async function* readBatches(
  files: FileSystem,
  folder: string,
): AsyncGenerator<InspectedBatch | Finding> {
  for (const base of offsetsOf(await files.list(folder), '.log')) {
    yield* readSegmentBatches(files, folder, base);
  }
}

/**
 * Offline, read-only: what is wrong in the folder of a partition. Every batch is checked, every index
 * entry against its batch, and the checksums of producer snapshots. Gaps between offsets are
 * no finding, because compaction leaves them.
 */
export async function* verifyFolder(files: FileSystem, folder: string): AsyncGenerator<Finding> {
  const names = await files.list(folder);
  let nextOffset = 0;
  for (const base of offsetsOf(names, '.log')) {
    if (base < nextOffset) {
      const problem = `begins at offset ${base}, the segment before goes on to ${nextOffset - 1}`;
      yield { file: offsetFile(base, '.log'), position: -1, problem };
    }
    const check = await IndexCheck.load(files, folder, base);
    nextOffset = base;
    for await (const found of readSegmentBatches(files, folder, base)) {
      if ('problem' in found) {
        yield found;
        continue;
      }
      const { batch, file, position } = found;
      if (batch.baseOffset < nextOffset) {
        const problem = `begins at offset ${batch.baseOffset} where ${nextOffset} is next`;
        yield { file, position, problem };
      }
      nextOffset = batch.nextOffset;
      yield* check.take(found);
    }
    yield* check.finish();
  }
  yield* verifySnapshots(files, folder, names);
}

async function* readSegmentBatches(
  files: FileSystem,
  folder: string,
  base: Offset,
): AsyncGenerator<InspectedBatch | Finding> {
  const file = offsetFile(base, '.log');
  const handle: File = await files.open(`${folder}/${file}`, 'read');
  try {
    const scanner = new BatchScanner(handle, { from: 0, to: await handle.size() });
    while (await scanner.fill()) {
      let position = scanner.position;
      for (let batch = scanner.next(); batch !== null; batch = scanner.next()) {
        yield { file, position, batch };
        position = scanner.position;
      }
    }
    if (scanner.problem !== null) {
      yield { file, position: scanner.position, problem: scanner.problem };
    }
  } finally {
    await handle.close();
  }
}

/** Compares both indexes of a segment with its batches as they come. */
class IndexCheck {
  readonly #base: Offset;
  readonly #offsets: OffsetIndex;
  readonly #times: TimeIndex;
  #nextOffsetEntry = 0;
  #nextTimeEntry = 0;

  private constructor(base: Offset, offsets: Uint8Array, times: Uint8Array) {
    this.#base = base;
    this.#offsets = new OffsetIndex(base, offsets);
    this.#times = new TimeIndex(base, times);
  }

  static async load(files: FileSystem, folder: string, base: Offset): Promise<IndexCheck> {
    const read = async (suffix: '.index' | '.timeindex', entryBytes: number) => {
      const content = await readIfThere(files, `${folder}/${offsetFile(base, suffix)}`);
      return withoutPadding(content ?? new Uint8Array(0), entryBytes);
    };
    return new IndexCheck(base, await read('.index', 8), await read('.timeindex', 12));
  }

  *take({ batch, position }: InspectedBatch): Generator<Finding> {
    const offsets = this.#offsets;
    while (this.#nextOffsetEntry < offsets.count) {
      const entry = this.#nextOffsetEntry;
      if (offsets.positionAt(entry) > position) break;
      this.#nextOffsetEntry++;
      const isRight =
        offsets.positionAt(entry) === position && offsets.offsetAt(entry) === batch.lastOffset;
      if (!isRight) yield this.#wrong('.index', entry, offsets.offsetAt(entry));
    }
    const times = this.#times;
    while (this.#nextTimeEntry < times.count) {
      const entry = this.#nextTimeEntry;
      if (times.offsetAt(entry) > batch.lastOffset) break;
      this.#nextTimeEntry++;
      const isRight =
        times.offsetAt(entry) === batch.lastOffset &&
        times.timestampAt(entry) === batch.maxTimestamp;
      if (!isRight) yield this.#wrong('.timeindex', entry, times.offsetAt(entry));
    }
  }

  *finish(): Generator<Finding> {
    for (let entry = this.#nextOffsetEntry; entry < this.#offsets.count; entry++) {
      yield this.#wrong('.index', entry, this.#offsets.offsetAt(entry));
    }
    for (let entry = this.#nextTimeEntry; entry < this.#times.count; entry++) {
      yield this.#wrong('.timeindex', entry, this.#times.offsetAt(entry));
    }
  }

  #wrong(suffix: '.index' | '.timeindex', entry: number, target: Offset): Finding {
    const position = entry * (suffix === '.index' ? 8 : 12);
    const problem = `entry ${entry}, of offset ${target}, does not agree with the segment`;
    return { file: offsetFile(this.#base, suffix), position, problem };
  }
}

/** Kafka makes index files full size, and cuts them only when the segment is closed in order. */
function withoutPadding(content: Uint8Array, entryBytes: number): Uint8Array {
  let end = content.length - (content.length % entryBytes);
  while (end > 0 && content.subarray(end - entryBytes, end).every((byte) => byte === 0)) {
    end -= entryBytes;
  }
  return content.slice(0, end);
}

async function* verifySnapshots(
  files: FileSystem,
  folder: string,
  names: readonly string[],
): AsyncGenerator<Finding> {
  for (const file of names) {
    const suffix = parseOffsetFile(file)?.suffix;
    if (suffix !== '.snapshot' && suffix !== '.producers') continue;
    const bytes = await files.readFile(`${folder}/${file}`);
    try {
      if (suffix === '.snapshot') decodeKafkaProducers(bytes);
      else decodeOwnProducers(bytes);
    } catch (error) {
      if (!(error instanceof CorruptError)) throw error;
      yield { file, position: -1, problem: error.message };
    }
  }
}
