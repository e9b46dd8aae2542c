import { deepStrictEqual, ok, strictEqual } from 'node:assert/strict';
import { freePort } from '../../../../bench/run/workspace.ts';
import { connect } from '../../../../src/client/main.ts';
import type { CompressionName } from '../../../../src/codec/compression.ts';
import { BrokerProcess } from '../../../support/processes.ts';
import type { Suite } from '../../check.ts';
import {
  consumeRecords,
  consumeSample,
  expectSample,
  PARTITIONS,
  produceSample,
  sampleRecords,
} from '../../records.ts';
import { JavaClient, type ToldRecord } from './java-client.ts';
import { javaClassPath } from './java-programs.ts';

export const CODECS: readonly CompressionName[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];
/** The sample is older than the time for which records are kept. */
export const FOR_EVER = { 'retention.ms': '-1' } as const;

interface Prepared extends AsyncDisposable {
  readonly broker: BrokerProcess;
  readonly java: JavaClient;
}

async function prepare(folder: string): Promise<Prepared> {
  const classPath = javaClassPath();
  const kafka = `127.0.0.1:${await freePort()}`;
  const broker = new BrokerProcess(`${folder}/data`, '--kafka', kafka);
  await broker.start();
  const java = new JavaClient(classPath, kafka);
  return {
    broker,
    java,
    async [Symbol.asyncDispose]() {
      await java[Symbol.asyncDispose]();
      await broker.kill();
    },
  };
}

/** What a consumer of Kafka told, without what our own client does not tell. */
export const asPortable = (records: readonly ToldRecord[]) =>
  records.map(({ timestampType: _, ...record }) => record);

async function javaToGrpc({ broker, java }: Prepared, compression: CompressionName) {
  const topic = `java-to-grpc-${compression}`;
  await java.createTopic(topic, PARTITIONS, FOR_EVER);
  const records = sampleRecords();
  await java.produce({ producer: topic, topic, compression, idempotent: true, records });
  await consumeSample(broker.address, topic);
}

async function grpcToJava({ broker, java }: Prepared, compression: CompressionName) {
  const topic = `grpc-to-java-${compression}`;
  await java.createTopic(topic, PARTITIONS, FOR_EVER);
  await produceSample(broker.address, topic, compression);
  const told = await java.consume(topic);
  expectSample(asPortable(told));
  for (const { timestampType } of told) strictEqual(timestampType, 'CreateTime');
}

/** With append times both tell the broker's time, of which only Kafka's client tells the type. */
async function appendTimes({ broker, java }: Prepared): Promise<void> {
  const topic = 'append-times';
  await java.createTopic(topic, PARTITIONS, { 'message.timestamp.type': 'LogAppendTime' });
  const beganMs = Date.now();
  const records = sampleRecords();
  await java.produce({ producer: topic, topic, compression: 'lz4', idempotent: true, records });
  await produceSample(broker.address, topic, 'lz4');
  const told = await java.consume(topic);
  strictEqual(told.length, 2 * records.length);
  for (const { timestampType, timestampMs } of told) {
    strictEqual(timestampType, 'LogAppendTime');
    ok(timestampMs >= beganMs && timestampMs <= Date.now(), `appended at ${timestampMs}`);
  }
  deepStrictEqual(sorted(await consumeRecords(broker.address, topic)), sorted(asPortable(told)));
}

const sorted = (records: readonly { partition: number; offset?: number }[]) =>
  records.toSorted((a, b) => a.partition - b.partition || a.offset! - b.offset!);

/** Every time of the sample, one before all, one after all. */
async function offsetsOfTimes({ broker, java }: Prepared): Promise<void> {
  const topic = 'times';
  await java.createTopic(topic, PARTITIONS, FOR_EVER);
  await produceSample(broker.address, topic, 'zstd');
  await using client = await connect({ brokers: [broker.address] });
  const times = sampleRecords().map(({ timestampMs }) => timestampMs);
  for (const timestampMs of [0, ...times, times.at(-1)! + 1]) {
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const expected = sampleRecords()
        .filter((record) => record.partition === partition)
        .findIndex((record) => record.timestampMs >= timestampMs);
      const [own] = await client.admin().listOffsets([{ topic, partition, at: { timestampMs } }]);
      strictEqual(own?.error, undefined);
      strictEqual(own?.offset, expected);
      strictEqual(await java.offsetOfTime(topic, partition, timestampMs), expected);
    }
  }
}

/** What one kind of client writes the other reads, byte for byte. */
export const exchangeSuite: Suite<Prepared> = {
  name: 'gRPC and Kafka clients',
  prepare,
  checks: {
    ...Object.fromEntries(
      CODECS.flatMap((codec) => [
        [`what Kafka's client writes a gRPC client reads, ${codec}`, (p) => javaToGrpc(p, codec)],
        [`what a gRPC client writes Kafka's client reads, ${codec}`, (p) => grpcToJava(p, codec)],
      ]),
    ),
    'the times and types of records that are stamped by the broker': appendTimes,
    'offsets by time': offsetsOfTimes,
  } satisfies Suite<Prepared>['checks'],
};
