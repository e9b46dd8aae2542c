import { deepStrictEqual, ok, strictEqual } from 'node:assert/strict';
import { cpSync } from 'node:fs';
import { Kafka } from '../../../../bench/peers/kafka.ts';
import type { Child } from '../../../../bench/run/child.ts';
import { freePort, Workspace } from '../../../../bench/run/workspace.ts';
import { BrokerProcess, run } from '../../../support/processes.ts';
import type { Suite } from '../../check.ts';
import {
  consumeRecords,
  expectRecords,
  PARTITIONS,
  type PortableRecord,
  produceRecords,
  sampleRecords,
} from '../../records.ts';
import { checkDump } from './dump-check.ts';
import { dumpFolder } from './dump-log.ts';
import { asPortable, CODECS, FOR_EVER } from './exchange-suite.ts';
import { randomRecords } from './filler.ts';
import { JavaClient } from './java-client.ts';
import { javaClassPath } from './java-programs.ts';

const TOPIC = 'copied';
const LIMIT_MS = 5 * 60_000;

interface Prepared extends AsyncDisposable {
  readonly classPath: readonly string[];
  readonly workspace: Workspace;
}

async function prepare(): Promise<Prepared> {
  const classPath = javaClassPath();
  const workspace = new Workspace();
  return {
    ...{ classPath, workspace },
    async [Symbol.asyncDispose]() {
      workspace.close();
    },
  };
}

/** A Kafka that can be started again on its folder and port. */
class KafkaBroker {
  readonly #kafka: Kafka;
  readonly #place: { readonly folder: string; readonly port: number };
  #child: Child | undefined;

  private constructor(kafka: Kafka, place: { readonly folder: string; readonly port: number }) {
    this.#kafka = kafka;
    this.#place = place;
  }

  static async make(workspace: Workspace): Promise<KafkaBroker> {
    const kafka = new Kafka(workspace);
    await kafka.prepare();
    const place = { folder: workspace.makeFolder('kafka'), port: await freePort() };
    await kafka.format(place, LIMIT_MS);
    return new KafkaBroker(kafka, place);
  }

  get address(): string {
    return `127.0.0.1:${this.#place.port}`;
  }

  get logs(): string {
    return `${this.#place.folder}/data`;
  }

  async start(): Promise<void> {
    const how = { mode: 'no-fsync', settings: [], deadlineMs: LIMIT_MS } as const;
    this.#child = this.#kafka.startServer({ ...this.#place, ...how });
    await this.#child.seek((line) => this.#kafka.isReady(line) || undefined);
  }

  async end(by: 'stop' | 'kill'): Promise<void> {
    if (by === 'kill') this.#child?.kill();
    else await this.#child?.stop();
    await this.#child?.ended;
  }
}

/** What a topic holds: all that was acknowledged, each with its offset. */
class Content {
  readonly records: PortableRecord[] = [];
  readonly #java: JavaClient;

  constructor(java: JavaClient) {
    this.#java = java;
  }

  async produce(
    producer: string,
    compression: (typeof CODECS)[number],
    records: readonly PortableRecord[],
    idempotent = true,
  ): Promise<void> {
    const request = { producer, topic: TOPIC, compression, idempotent, records };
    const offsets = await this.#java.produce(request);
    this.records.push(...records.map((record, at) => ({ ...record, offset: offsets[at]! })));
  }
}

/** Fills a topic of a Kafka that is killed once on the way, and ends it. */
async function fillKafka(
  kafka: KafkaBroker,
  java: JavaClient,
  content: Content,
  end: 'stop' | 'kill',
) {
  await java.createTopic(TOPIC, PARTITIONS, { ...FOR_EVER, 'segment.bytes': '1048576' });
  for (const codec of CODECS) {
    await content.produce(`${codec}`, codec, sampleRecords());
    await content.produce(`plain ${codec}`, codec, sampleRecords(), false);
    await content.produce('steady', 'zstd', randomRecords(100, PARTITIONS));
  }
  await kafka.end('kill');
  await kafka.start();
  await content.produce('steady', 'zstd', randomRecords(100, PARTITIONS));
  await kafka.end(end);
}

/** What the help of `varve log adopt` tells an operator to do. */
async function adopt(from: string, data: string, classPath: readonly string[]): Promise<void> {
  const kafka = `127.0.0.1:${await freePort()}`;
  const maker = new BrokerProcess(data, '--kafka', kafka);
  await maker.start();
  await using java = new JavaClient(classPath, kafka);
  await java.createTopic(TOPIC, PARTITIONS, { ...FOR_EVER, 'segment.bytes': '1048576' });
  strictEqual(await maker.stop(), 0);
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const name = `${TOPIC}-${partition}`;
    cpSync(`${from}/${name}`, `${data}/${name}`, { recursive: true });
  }
  const { code, stdout, stderr } = await run(['log', 'adopt', data]);
  strictEqual(code, 0, stderr);
  strictEqual(stdout.trim().split('\n').length, PARTITIONS, stdout);
}

async function copied({ classPath, workspace }: Prepared, end: 'stop' | 'kill'): Promise<void> {
  const kafka = await KafkaBroker.make(workspace);
  await kafka.start();
  await using java = new JavaClient(classPath, kafka.address);
  const content = new Content(java);
  await fillKafka(kafka, java, content, end);
  const data = `${workspace.makeFolder('varve')}/data`;
  await adopt(kafka.logs, data, classPath);
  // At the address of the Kafka: its clients find the same server again.
  await using broker = new BrokerProcess(data, '--kafka', kafka.address);
  await broker.start();
  await expectContent(content, broker, java);
  await expectTimes(content, broker, java);

  // A producer that the Kafka knew goes on where it was, and new ones come.
  await content.produce('steady', 'zstd', randomRecords(100, PARTITIONS));
  await content.produce('new', 'lz4', randomRecords(100, PARTITIONS));
  await expectContent(content, broker, java);
  await broker.kill();
  await broker.start();
  await content.produce('steady', 'zstd', randomRecords(100, PARTITIONS));
  const own = randomRecords(100, PARTITIONS);
  await produceRecords(broker.address, TOPIC, 'gzip', own);
  const told = await java.consume(TOPIC);
  strictEqual(told.length, content.records.length + own.length);
  strictEqual(await broker.stop(), 0);
  for (let partition = 0; partition < PARTITIONS; partition++) {
    await expectProducers(classPath, `${data}/${TOPIC}-${partition}`);
  }
}

async function expectContent(content: Content, broker: BrokerProcess, java: JavaClient) {
  expectRecords(await consumeRecords(broker.address, TOPIC), content.records);
  expectRecords(asPortable(await java.consume(TOPIC)), content.records);
}

/** Some times out of all that there are, and what lies behind each. */
async function expectTimes({ records }: Content, broker: BrokerProcess, java: JavaClient) {
  for (let at = 0; at < records.length; at += 97) {
    const { timestampMs } = records[at]!;
    const expected: PortableRecord[] = [];
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const own = records.filter((record) => record.partition === partition);
      own.sort((a, b) => a.offset! - b.offset!);
      const first = own.findIndex((record) => record.timestampMs >= timestampMs);
      strictEqual(await java.offsetOfTime(TOPIC, partition, timestampMs), own[first]?.offset ?? -1);
      if (first >= 0) expected.push(...own.slice(first));
    }
    expectRecords(await consumeRecords(broker.address, TOPIC, { timestampMs }), expected);
  }
}

/** Kafka's tool finds nothing wrong; one producer spans both servers; no id was given to two. */
async function expectProducers(classPath: readonly string[], folder: string): Promise<void> {
  const dump = await dumpFolder(classPath, folder);
  checkDump(dump, folder, true);
  const batches = [...dump.logs.values()].flat();
  const epochs = [...new Set(batches.map(({ leaderEpoch }) => leaderEpoch))];
  ok(epochs.length >= 4, `leader epochs ${epochs}: Kafka was started twice, and Varve too`);
  deepStrictEqual(
    epochs,
    epochs.toSorted((a, b) => a - b),
  );
  const last = new Map<number, number>();
  const span = new Map<number, Set<number>>();
  for (const { producerId, lastSequence, count, leaderEpoch } of batches) {
    if (producerId === -1) continue;
    strictEqual(lastSequence, (last.get(producerId) ?? -1) + count, `producer ${producerId}`);
    last.set(producerId, lastSequence);
    span.set(producerId, (span.get(producerId) ?? new Set()).add(leaderEpoch));
  }
  // Each codec, the steady one, the new one, and our own client's.
  strictEqual(last.size, CODECS.length + 3);
  strictEqual([...span.values()].filter(({ size }) => size >= 4).length, 1);
}

/** Folders of partitions that a Kafka wrote, opened and served here. */
export const copySuite: Suite<Prepared> = {
  name: "a Kafka's folders",
  prepare,
  checks: {
    'of a Kafka that was stopped are read, and written on': (p) => copied(p, 'stop'),
    'of a Kafka that was killed are read, and written on': (p) => copied(p, 'kill'),
  },
};
