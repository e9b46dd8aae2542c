import { CorruptError } from '../../src/codec/reader.ts';
import type { FileTree } from '../../src/env/file-tree.ts';
import { MemoryFiles } from '../../src/env/memory-files.ts';
import type { Clock, FileSystem } from '../../src/env/ports.ts';
import { decodeMarks, type LogMark } from '../../src/log/durable-marks.ts';
import {
  EPOCHS_FILE,
  MARKS_FILE,
  offsetFile,
  parseFolder,
  parseOffsetFile,
} from '../../src/log/file-names.ts';
import { type Finding, readBatches, verifyFolder } from '../../src/log/inspect.ts';
import { type Offset, partitionName } from '../../src/model/ids.ts';
import { HardStateFile } from '../../src/quorum/hard-state-file.ts';

/** A batch that begins later has an entry in the offset index, or one before it has: the largest interval. */
const SURELY_INDEXED_POSITION = 4096;

/** Looks at the data directory from outside, in no time, and changes nothing. */
export class DiskInspection {
  readonly #files: FileSystem;
  readonly #path: string;

  constructor(path: string, tree: FileTree, clock: Clock) {
    this.#files = new MemoryFiles(clock, tree);
    this.#path = path;
  }

  /** Up to which entry of the metadata the file `hard-state` vouches for the store; -1 if it is not there. */
  async vouchedIndex(): Promise<number> {
    const file = await HardStateFile.open(this.#files, this.#path);
    if (file === undefined) return -1;
    await file.close();
    return file.state.last.index;
  }

  /** What the marks vouch for and is not on the disk, and small files that are neither old nor new. */
  async afterCrash(): Promise<string[]> {
    if ((await this.#files.stat(this.#path)) === undefined) return [];
    const findings: string[] = [];
    for (const name of await this.#files.list(this.#path)) {
      if (parseFolder(name)?.kind === 'partition') findings.push(...(await this.#epochs(name)));
    }
    for (const mark of await this.#marks(findings)) {
      const name = partitionName(mark.topicPartition);
      // Its topic was deleted, and the marks are written after that.
      if ((await this.#files.stat(`${this.#path}/${name}`)) === undefined) continue;
      findings.push(...(await this.#belowMark(name, mark)));
    }
    return findings;
  }

  /** What is not in order after a clean stop. */
  async afterCleanStop(options: {
    /** Folders of partitions that may be there. */
    readonly folders: ReadonlySet<string>;
    /** Of folders whose topic has a limit of bytes: at least so many must be left. */
    readonly leastBytes: ReadonlyMap<string, number>;
  }): Promise<string[]> {
    const findings = await this.afterCrash();
    for (const name of await this.#files.list(this.#path)) {
      const folder = parseFolder(name);
      if (folder === undefined) continue;
      if (folder.kind !== 'partition' || !options.folders.has(name)) {
        findings.push(`the folder ${name} is of no topic`);
        continue;
      }
      for await (const finding of verifyFolder(this.#files, `${this.#path}/${name}`)) {
        findings.push(describe(name, finding));
      }
      const bytes = await this.#segmentBytes(name);
      const least = options.leastBytes.get(name) ?? 0;
      if (bytes < least) findings.push(`${name} has ${bytes} bytes left of at least ${least}`);
    }
    return findings;
  }

  async #marks(findings: string[]): Promise<LogMark[]> {
    const path = `${this.#path}/${MARKS_FILE}`;
    if ((await this.#files.stat(path)) === undefined) return [];
    try {
      return [...decodeMarks(await this.#files.readFile(path)).logs.values()];
    } catch (error) {
      if (!(error instanceof CorruptError)) throw error;
      findings.push(`${MARKS_FILE} is torn: ${error.message}`);
      return [];
    }
  }

  async #belowMark(name: string, mark: LogMark): Promise<string[]> {
    const folder = `${this.#path}/${name}`;
    const first = await this.#firstBase(name, mark);
    const findings: string[] = [];
    let nextOffset: Offset | undefined;
    let markedBytes = 0;
    const indexed = new Set<Offset>();
    for await (const found of readBatches(this.#files, folder)) {
      const base = parseOffsetFile(found.file)!.at;
      const isAbove = base === mark.segmentBase && found.position >= mark.position;
      if (base < first || base > mark.segmentBase || isAbove) continue;
      if ('problem' in found) {
        findings.push(describe(name, found));
        continue;
      }
      const { baseOffset, nextOffset: next, sizeInBytes } = found.batch;
      if (nextOffset !== undefined && nextOffset !== baseOffset) {
        findings.push(`${name}: ${nextOffset} is followed by ${baseOffset}`);
      }
      nextOffset = next;
      if (found.position > SURELY_INDEXED_POSITION) indexed.add(base);
      if (base === mark.segmentBase) markedBytes = found.position + sizeInBytes;
    }
    const end = nextOffset ?? mark.endOffset;
    if (end !== mark.endOffset || markedBytes !== mark.position) {
      findings.push(
        `${name} is marked durable up to offset ${mark.endOffset}, byte ${mark.position} of segment ${mark.segmentBase}, and ends at offset ${end}, byte ${markedBytes}`,
      );
    }
    return [...findings, ...(await this.#finishedSegments(name, mark, { first, indexed }))];
  }

  /** The first segment that the mark leans on; those before it were being deleted. */
  async #firstBase(name: string, mark: LogMark): Promise<Offset> {
    const start = Math.min(mark.logStartOffset, mark.segmentBase);
    const bases = (await this.#files.list(`${this.#path}/${name}`))
      .map(parseOffsetFile)
      .filter((parsed) => parsed?.suffix === '.log' && parsed.at <= start)
      .map((parsed) => parsed!.at);
    return bases.at(-1) ?? mark.segmentBase;
  }

  /** Indexes and producer snapshots of segments that are marked as finished. */
  async #finishedSegments(
    name: string,
    mark: LogMark,
    { first, indexed }: { readonly first: Offset; readonly indexed: ReadonlySet<Offset> },
  ): Promise<string[]> {
    const folder = `${this.#path}/${name}`;
    const names = await this.#files.list(folder);
    const findings: string[] = [];
    const isFinished = (base: Offset): boolean => base >= first && base < mark.finishedBefore;
    const bases = names.map(parseOffsetFile).filter((parsed) => parsed?.suffix === '.log');
    for (const [at, parsed] of bases.entries()) {
      if (!isFinished(parsed!.at)) continue;
      const base = parsed!.at;
      const end = bases[at + 1]?.at ?? mark.finishedBefore;
      const least: [string, number][] = [
        [offsetFile(base, '.timeindex'), 1],
        [offsetFile(base, '.index'), indexed.has(base) ? 1 : 0],
        [offsetFile(end, '.producers'), 1],
        [offsetFile(end, '.snapshot'), 1],
      ];
      for (const [file, bytes] of least) {
        const size = names.includes(file) ? await this.#size(folder, file) : -1;
        if (size < bytes) findings.push(`${name}/${file} of a finished segment has ${size} bytes`);
      }
    }
    for await (const finding of verifyFolder(this.#files, folder)) {
      const { at, suffix } = parseOffsetFile(finding.file)!;
      if (suffix !== '.log' && isFinished(at)) findings.push(describe(name, finding));
    }
    return findings;
  }

  /** `leader-epoch-checkpoint` as Kafka writes it: version, count, and as many lines. */
  async #epochs(name: string): Promise<string[]> {
    const path = `${this.#path}/${name}/${EPOCHS_FILE}`;
    if ((await this.#files.stat(path)) === undefined) return [];
    const text = new TextDecoder().decode(await this.#files.readFile(path));
    const [version, count, ...lines] = text.split('\n');
    const entries = lines.filter((line) => /^\d+ \d+$/.test(line));
    if (
      version === '0' &&
      Number(count) === entries.length &&
      lines.length === entries.length + 1
    ) {
      return [];
    }
    return [`${name}/${EPOCHS_FILE} is torn: ${JSON.stringify(text)}`];
  }

  async #size(folder: string, file: string): Promise<number> {
    return (await this.#files.stat(`${folder}/${file}`))?.size ?? -1;
  }

  async #segmentBytes(name: string): Promise<number> {
    const folder = `${this.#path}/${name}`;
    let bytes = 0;
    for (const file of await this.#files.list(folder)) {
      if (!file.endsWith('.log')) continue;
      bytes += await this.#size(folder, file);
    }
    return bytes;
  }
}

const describe = (folder: string, { file, position, problem }: Finding): string =>
  `${folder}/${file}${position < 0 ? '' : ` at byte ${position}`}: ${problem}`;
