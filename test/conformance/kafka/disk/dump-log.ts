import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { basename, delimiter, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { JVM_FLAGS } from './java-programs.ts';

export interface DumpedBatch {
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly count: number;
  readonly lastSequence: number;
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly leaderEpoch: number;
  readonly position: number;
  readonly maxTimestamp: number;
  readonly size: number;
  readonly codec: string;
}

export interface DumpedProducer {
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly lastSequence: number;
  readonly lastOffset: number;
}

/** What the tool read in the files of one partition, by their base offsets. */
export interface Dump {
  readonly logs: Map<number, DumpedBatch[]>;
  readonly indexes: Map<number, { readonly offset: number; readonly position: number }[]>;
  readonly timeIndexes: Map<number, { readonly timestamp: number; readonly offset: number }[]>;
  readonly snapshots: Map<number, DumpedProducer[]>;
  /** Index files that it found sane. */
  readonly sane: Set<string>;
  /** Whatever it printed that is not plain content: it has nothing else to complain by. */
  readonly complaints: string[];
}

/** Has Kafka's `DumpLogSegments` read every file of a partition that it knows, in all of its three ways. */
export async function dumpFolder(classPath: readonly string[], folder: string): Promise<Dump> {
  const dump: Dump = {
    logs: new Map(),
    indexes: new Map(),
    timeIndexes: new Map(),
    snapshots: new Map(),
    sane: new Set(),
    complaints: [],
  };
  const names = new Set(readdirSync(folder));
  // A time index is written before the index beside it, without which the tool cannot look at it: a broker
  // that is killed may leave it alone.
  const files = [...names].filter(
    (name) =>
      /\.(log|index|snapshot)$/.test(name) ||
      (name.endsWith('.timeindex') && names.has(name.replace('.timeindex', '.index'))),
  );
  const indexes = files.filter((name) => /index$/.test(name));
  await run(['--deep-iteration'], files);
  await run(['--verify-index-only'], indexes);
  await run(['--index-sanity-check'], indexes);
  return dump;

  async function run(options: readonly string[], names: readonly string[]): Promise<void> {
    const paths = names.map((name) => join(folder, name)).join(',');
    const main = ['org.apache.kafka.tools.DumpLogSegments', ...options, '--files', paths];
    const child = spawn('java', [...JVM_FLAGS, '-cp', classPath.join(delimiter), ...main], {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: LIMIT_MS,
    });
    const ended = new Promise<string>((resolve) => {
      child.on('error', (error) => resolve(error.message));
      child.on('close', (code, signal) =>
        resolve(code === 0 ? '' : `ended with ${code ?? signal}`),
      );
    });
    const [printed, complained] = await Promise.all([text(child.stdout), text(child.stderr)]);
    const end = await ended;
    if (end !== '') dump.complaints.push(`${main.slice(0, 2).join(' ')} ${end}`);
    readPrinted(printed.split('\n'), new Set(names), dump);
    readComplained(complained.split('\n'), dump);
  }
}

/** Fills in what stands in the output; each file must be dumped once, and every line be understood. */
function readPrinted(lines: readonly string[], expected: Set<string>, dump: Dump): void {
  let take: (line: string) => boolean = () => false;
  for (const line of lines) {
    const file = /^Dumping (.*)$/.exec(line)?.[1];
    const sane = /^(.*) passed sanity check\.$/.exec(line)?.[1];
    if (file !== undefined) {
      const name = basename(file);
      if (!expected.delete(name)) dump.complaints.push(`dumped, and not asked for: ${line}`);
      take = readerOf(name, dump);
    } else if (sane !== undefined) dump.sane.add(basename(sane));
    else if (line !== '' && !/^.*index is empty\.$/.test(line) && !take(line)) {
      dump.complaints.push(line);
    }
  }
  for (const name of expected) dump.complaints.push(`${name} was not dumped`);
}

/** Reads the lines of one file; false for one that it does not understand. */
function readerOf(name: string, dump: Dump): (line: string) => boolean {
  const base = Number.parseInt(name, 10);
  if (name.endsWith('.log')) return logReader(base, listOf(dump.logs, base));
  if (name.endsWith('.timeindex')) {
    const entries = listOf(dump.timeIndexes, base);
    return (line) => add(entries, /^timestamp: (?<timestamp>-?\d+) offset: (?<offset>\d+)$/, line);
  }
  if (name.endsWith('.index')) {
    const entries = listOf(dump.indexes, base);
    return (line) => add(entries, /^offset: (?<offset>\d+) position: (?<position>\d+)$/, line);
  }
  const producers = listOf(dump.snapshots, base);
  return (line) => add(producers, PRODUCER, line);
}

function logReader(base: number, batches: DumpedBatch[]): (line: string) => boolean {
  let records = 0;
  return (line) => {
    if (line === `Log starting offset: ${base}`) return true;
    const last = batches.at(-1);
    if (RECORD.test(line)) return last !== undefined && ++records <= last.count;
    // All records of the batch before have been told of.
    if (last !== undefined && records !== last.count) return false;
    const codec = BATCH.exec(line)?.groups?.['codec'];
    if (codec === undefined || !add(batches, BATCH, line)) return false;
    batches.push({ ...batches.pop()!, codec });
    records = 0;
    return true;
  };
}

/** Adds the numbers that a line holds, by the names of their groups. */
function add<T>(to: T[], pattern: RegExp, line: string): boolean {
  const groups = pattern.exec(line)?.groups;
  if (groups === undefined) return false;
  const numbers = Object.entries(groups).map(([name, value]) => [name, Number(value)]);
  to.push(Object.fromEntries(numbers) as T);
  return true;
}

function listOf<T>(lists: Map<number, T[]>, base: number): T[] {
  const list = lists.get(base) ?? [];
  lists.set(base, list);
  return list;
}

/**
 * The tool expects offset 0 after no offset at all, so it complains of the first record of every
 * segment that begins with another one, Kafka's own included. Of nothing else.
 */
function readComplained(lines: readonly string[], dump: Dump): void {
  const left = lines.filter((line) => line !== '');
  for (let at = 0; at < left.length; at++) {
    const base = /^Non-consecutive offsets in .*\/(\d+)\.log$/.exec(left[at]!)?.[1];
    if (base !== undefined && left[at + 1] === `  -1 is followed by ${Number(base)}`) at++;
    else dump.complaints.push(left[at]!);
  }
}

const BATCH = new RegExp(
  '^baseOffset: (?<baseOffset>\\d+) lastOffset: (?<lastOffset>\\d+) count: (?<count>\\d+) ' +
    'baseSequence: -?\\d+ lastSequence: (?<lastSequence>-?\\d+) ' +
    'producerId: (?<producerId>-?\\d+) producerEpoch: (?<producerEpoch>-?\\d+) ' +
    'partitionLeaderEpoch: (?<leaderEpoch>\\d+) isTransactional: false isControl: false ' +
    'deleteHorizonMs: OptionalLong.empty position: (?<position>\\d+) ' +
    '(?:CreateTime|LogAppendTime): (?<maxTimestamp>-?\\d+) size: (?<size>\\d+) magic: 2 ' +
    'compresscodec: (?<codec>none|gzip|snappy|lz4|zstd) crc: \\d+ isvalid: true$',
);
const RECORD =
  /^\| offset: \d+ (CreateTime|LogAppendTime): -?\d+ keySize: -?\d+ valueSize: -?\d+ sequence: -?\d+ headerKeys: \[.*\]$/;
const PRODUCER = new RegExp(
  '^producerId: (?<producerId>\\d+) producerEpoch: (?<producerEpoch>\\d+) coordinatorEpoch: -1 ' +
    'currentTxnFirstOffset: OptionalLong.empty lastTimestamp: \\d+ firstSequence: \\d+ ' +
    'lastSequence: (?<lastSequence>\\d+) lastOffset: (?<lastOffset>\\d+) offsetDelta: \\d+ timestamp: \\d+$',
);
const LIMIT_MS = 120_000;
