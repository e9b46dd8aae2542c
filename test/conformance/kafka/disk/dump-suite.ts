import { deepStrictEqual, match, notDeepStrictEqual, ok, strictEqual } from 'node:assert/strict';
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../../../bench/run/workspace.ts';
import { connect } from '../../../../src/client/main.ts';
import { BrokerProcess } from '../../../support/processes.ts';
import type { Suite } from '../../check.ts';
import { PARTITIONS, produceSample, sampleRecords } from '../../records.ts';
import { checkDump } from './dump-check.ts';
import { type Dump, dumpFolder } from './dump-log.ts';
import { CODECS } from './exchange-suite.ts';
import { randomRecords } from './filler.ts';
import { JavaClient } from './java-client.ts';
import { javaClassPath } from './java-programs.ts';

/** Its segments are closed after every megabyte. */
const TOPIC = 'dumped';
const RETAINED = 'retained';
const ROUNDS = 3;

interface Prepared extends AsyncDisposable {
  readonly classPath: readonly string[];
  readonly folder: string;
  /** The files of a partition after kill -9, untouched since. */
  readonly killed: (topic: string, partition: number) => string;
  /** And after the clean stop of the broker that recovered them and took in more. */
  readonly stopped: (topic: string, partition: number) => string;
}

/** Writes with both clients and every codec, deletes from the start, is killed, and goes on. */
async function prepare(folder: string): Promise<Prepared> {
  const classPath = javaClassPath();
  const data = `${folder}/data`;
  const kafka = `127.0.0.1:${await freePort()}`;
  const settings = ['log.retention.check.interval.ms=200ms'].flatMap((set) => ['--set', set]);
  await using broker = new BrokerProcess(data, '--kafka', kafka, ...settings);
  await broker.start();
  await using java = new JavaClient(classPath, kafka);
  const small = { 'segment.bytes': '1048576', 'retention.ms': '-1' };
  await java.createTopic(TOPIC, PARTITIONS, small);
  await java.createTopic(RETAINED, 1, { ...small, 'retention.bytes': '2097152' });
  await write(broker, java);
  await java.deleteRecords(TOPIC, 0, 60);
  const end = await endOf(broker);
  let hasEnded = false;
  const load = write(broker, java).then(() => {
    hasEnded = true;
  });
  while ((await endOf(broker)) < end + 20) await new Promise(setImmediate);
  await broker.kill();
  strictEqual(hasEnded, false, 'the broker dies amid a load');
  cpSync(data, `${folder}/killed`, { recursive: true });
  await broker.start();
  await load;
  await write(broker, java);
  strictEqual(await broker.stop(), 0);
  const of = (root: string) => (topic: string, partition: number) =>
    `${folder}/${root}/${topic}-${partition}`;
  return {
    ...{ classPath, folder, killed: of('killed'), stopped: of('data') },
    async [Symbol.asyncDispose]() {},
  };
}

async function endOf(broker: BrokerProcess): Promise<number> {
  await using client = await connect({ brokers: [broker.address] });
  const asked = { topic: TOPIC, partition: 1, at: 'latest' } as const;
  const [partition] = await client.admin().listOffsets([asked]);
  return partition!.offset;
}

async function write(broker: BrokerProcess, java: JavaClient): Promise<void> {
  for (const compression of CODECS) {
    await produceSample(broker.address, TOPIC, compression);
    for (const idempotent of [true, false]) {
      const producer = `${compression}, ${idempotent ? 'idempotent' : 'plain'}`;
      const to = { producer, compression, idempotent };
      await java.produce({ ...to, topic: TOPIC, records: sampleRecords() });
      const records = randomRecords(ROUNDS * 20, 1);
      await java.produce({ ...to, topic: RETAINED, records });
    }
  }
}

async function dumpAll(
  { classPath }: Prepared,
  of: (topic: string, partition: number) => string,
  isClean: boolean,
): Promise<Dump[]> {
  const dumps: Dump[] = [];
  for (const topic of [TOPIC, RETAINED]) {
    for (let partition = 0; partition < (topic === TOPIC ? PARTITIONS : 1); partition++) {
      const path = of(topic, partition);
      const dump = await dumpFolder(classPath, path);
      checkDump(dump, path, isClean);
      dumps.push(dump);
    }
  }
  return dumps;
}

async function afterStop(prepared: Prepared): Promise<void> {
  const dumps = await dumpAll(prepared, prepared.stopped, true);
  // That it was a workload worth dumping.
  for (const { logs, indexes, timeIndexes, snapshots } of dumps) {
    ok(logs.size >= 3, `${logs.size} segments`);
    for (const files of [indexes, timeIndexes]) strictEqual(files.size, logs.size);
    ok([...snapshots.values()].some((producers) => producers.length >= 5));
    const batches = [...logs.values()].flat();
    // Of the others the first records are gone.
    if (!logs.has(0)) continue;
    deepStrictEqual(new Set(batches.map(({ codec }) => codec)), new Set(CODECS));
    strictEqual(new Set(batches.map(({ leaderEpoch }) => leaderEpoch)).size, 2);
    ok(batches.some(({ producerId }) => producerId === -1));
  }
  const starts = dumps.map(({ logs }) => Math.min(...logs.keys()));
  ok(starts[0]! > 0, 'records were deleted');
  ok(starts.at(-1)! > 0, 'retention has deleted');
}

/** Flips one bit of a file of a copy; returns what the tool says of the copy. */
async function damaged(prepared: Prepared, suffix: string, at: number): Promise<readonly string[]> {
  const copy = join(prepared.folder, `damaged${suffix}`);
  cpSync(prepared.stopped(TOPIC, 1), copy, { recursive: true });
  const name = readdirSync(copy).find((each) => each.endsWith(suffix))!;
  const bytes = readFileSync(join(copy, name));
  bytes[at]! ^= 1;
  writeFileSync(join(copy, name), bytes);
  return (await dumpFolder(prepared.classPath, copy)).complaints;
}

/** Bytes that a flipped bit makes wrong, and what is printed then. */
const DAMAGES: readonly (readonly [suffix: string, at: number, complaint: RegExp])[] = [
  ['.index', 3, /Mismatches in :.*\.index/],
  ['.timeindex', 7, /Found timestamp mismatch in :.*\.timeindex/],
  ['.snapshot', 20, /Snapshot is corrupt/],
  ['.log', 200, /isvalid: false/],
];

/** Every file of ours, read by Kafka's own tool. */
export const dumpSuite: Suite<Prepared> = {
  name: "Kafka's DumpLogSegments",
  prepare,
  checks: {
    'reads all that a stopped broker left, and finds nothing wrong': afterStop,
    'reads all that a killed broker left, and finds nothing wrong': async (prepared) => {
      await dumpAll(prepared, prepared.killed, false);
    },
    'complains of every kind of file when a bit of it is flipped': async (prepared) => {
      for (const [suffix, at, complaint] of DAMAGES) {
        const complaints = await damaged(prepared, suffix, at);
        notDeepStrictEqual(complaints, [], `${suffix} is damaged, and nothing was said`);
        match(complaints.join('\n'), complaint);
      }
    },
  },
};
