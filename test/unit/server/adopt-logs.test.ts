import { cp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { Compression } from '../../../src/codec/compression.ts';
import { nodeEnv } from '../../../src/env/node-env.ts';
import { nodeId, producerId } from '../../../src/model/ids.ts';
import { BatchBuilder } from '../../../src/records/batch-builder.ts';
import { buildTransactionMarker } from '../../../src/records/control-batch.ts';
import { adoptLogs } from '../../../src/server/adopt-logs.ts';
import { silentLogger } from '../../../src/telemetry/logger.ts';
import { startBroker, type TestBroker } from '../../../src/testing/main.ts';
import { TemporaryFolder } from '../../support/processes.ts';

const SEGMENT = '00000000000000000000.log';

const adopt = (dataDir: string) =>
  adoptLogs({ dataDir, nodeId: nodeId(1) }, nodeEnv(), silentLogger);

/** Sends one record with a producer of its own; returns its offset. */
async function send(broker: TestBroker, value: string): Promise<number> {
  await using client = await broker.connect();
  const { offset } = await client.producer({ value: 'string' }).send({ topic: 't', value });
  return offset;
}

async function read(broker: TestBroker): Promise<string[]> {
  await using client = await broker.connect();
  const from = { topics: ['t'], from: 'earliest', until: 'end', value: 'string' } as const;
  const values: string[] = [];
  for await (const { value } of client.consumer(from)) values.push(value!);
  return values;
}

async function makeTopic(dataDir: string): Promise<void> {
  await using broker = await startBroker({ dataDir });
  await using client = await broker.connect();
  await client.admin().createTopic({ name: 't', partitionCount: 1 });
}

/** The data directory of a cluster that was started three times, and one where the topic is new. */
async function twoClusters(folder: TemporaryFolder): Promise<{ foreign: string; own: string }> {
  const [foreign, own] = [`${folder.path}/foreign`, `${folder.path}/own`];
  await makeTopic(foreign);
  for (const value of ['a', 'b', 'c']) {
    await using broker = await startBroker({ dataDir: foreign });
    await send(broker, value);
  }
  await makeTopic(own);
  return { foreign, own };
}

test('a log of another cluster is read, and written on under newer epochs by newer producers', async () => {
  using folder = new TemporaryFolder();
  const { foreign, own } = await twoClusters(folder);
  await cp(`${foreign}/t-0`, `${own}/t-0`, { recursive: true });
  expect(await adopt(own)).toEqual([{ partition: 't-0', logStartOffset: 0, logEndOffset: 3 }]);
  // The first producer here would have the id of the first one there, and its record be a repetition.
  for (const [at, value] of ['d', 'e'].entries()) {
    await using broker = await startBroker({ dataDir: own });
    expect(await send(broker, value)).toBe(3 + at);
  }
  await using broker = await startBroker({ dataDir: own });
  expect(await read(broker)).toEqual(['a', 'b', 'c', 'd', 'e']);
});

test('a copy without the file that names its topic is adopted, once', async () => {
  using folder = new TemporaryFolder();
  const { foreign, own } = await twoClusters(folder);
  await cp(`${foreign}/t-0/${SEGMENT}`, `${own}/t-0/${SEGMENT}`);
  expect(await adopt(own)).toMatchObject([{ partition: 't-0', logEndOffset: 3 }]);
  expect(await adopt(own)).toEqual([]);
  await using broker = await startBroker({ dataDir: own });
  expect(await read(broker)).toEqual(['a', 'b', 'c']);
});

test('without it being adopted a node does not start on such a log, and says what to do', async () => {
  using folder = new TemporaryFolder();
  const { foreign, own } = await twoClusters(folder);
  const broker = await startBroker({ dataDir: own });
  await send(broker, 'own');
  await broker.close();
  const metadata = await readFile(`${own}/t-0/partition.metadata`);
  await rm(`${own}/t-0`, { recursive: true });
  await rm(`${own}/durable-marks`);
  await cp(`${foreign}/t-0`, `${own}/t-0`, { recursive: true });
  await writeFile(`${own}/t-0/partition.metadata`, metadata);
  await expect(startBroker({ dataDir: own })).rejects.toThrow(
    /older than the log of t-0: .* if the log was copied in from another cluster, run varve log adopt/,
  );
  expect(await adopt(own)).toMatchObject([{ partition: 't-0', logEndOffset: 3 }]);
});

test('a log with a gap is not adopted, and nothing else is changed', async () => {
  using folder = new TemporaryFolder();
  const { foreign, own } = await twoClusters(folder);
  await cp(`${foreign}/t-0`, `${own}/t-0`, { recursive: true });
  await cp(`${foreign}/t-0/${SEGMENT}`, `${own}/t-0/00000000000000000005.log`);
  await expect(adopt(own)).rejects.toThrow(
    /nothing was adopted: .*the segment ends before offset 3, the next begins at 5/,
  );
  await rm(`${own}/t-0`, { recursive: true });
  await using broker = await startBroker({ dataDir: own });
  expect(await send(broker, 'first')).toBe(0);
});

test('a folder without a topic is refused, before anything is written', async () => {
  using folder = new TemporaryFolder();
  const { foreign, own } = await twoClusters(folder);
  await cp(`${foreign}/t-0`, `${own}/t-1`, { recursive: true });
  await expect(adopt(own)).rejects.toThrow(
    `${own}/t-1 is of no topic that is known; make topic t with at least 2 partitions first`,
  );
  const metadata = await readFile(`${own}/t-1/partition.metadata`, 'utf8');
  expect(metadata).toBe(await readFile(`${foreign}/t-0/partition.metadata`, 'utf8'));
});

test('only the data directory of a node that is stopped can adopt', async () => {
  using folder = new TemporaryFolder();
  await expect(adopt(folder.path)).rejects.toThrow(
    `${folder.path} is no data directory of a node; give the one that varve start has`,
  );
  const dataDir = `${folder.path}/data`;
  await using _ = await startBroker({ dataDir });
  await expect(adopt(dataDir)).rejects.toThrow(/is in use by another broker/);
});

test.each([
  ['a batch of an old format', 16, 1],
  ['a batch that fails its checksum', 69 + 20, 0xff],
])('%s at the end of a log is refused, not cut off', async (_, at, value) => {
  using folder = new TemporaryFolder();
  const { foreign, own } = await twoClusters(folder);
  await cp(`${foreign}/t-0`, `${own}/t-0`, { recursive: true });
  const bytes = await readFile(`${own}/t-0/${SEGMENT}`);
  bytes[at] = value === bytes[at] ? 0 : value;
  await writeFile(`${own}/t-0/${SEGMENT}`, bytes);
  await expect(adopt(own)).rejects.toThrow(/nothing was adopted: .*or cut the file there/);
  expect(await readFile(`${own}/t-0/${SEGMENT}`)).toEqual(bytes);
  const metadata = await readFile(`${own}/t-0/partition.metadata`, 'utf8');
  expect(metadata).toBe(await readFile(`${foreign}/t-0/partition.metadata`, 'utf8'));
  await truncate(`${own}/t-0/${SEGMENT}`, at < 61 ? 0 : 69);
  expect(await adopt(own)).toMatchObject([{ logEndOffset: at < 61 ? 0 : 1 }]);
});

test.each([
  ['was stopped', true],
  ['was killed, with records in its journal', false],
])('a log does not take the place of one with records, where its node %s', async (_, isStopped) => {
  using folder = new TemporaryFolder();
  const { foreign, own: live } = await twoClusters(folder);
  const own = `${folder.path}/copy`;
  {
    await using broker = await startBroker({
      dataDir: live,
      settings: { 'log.journal.partitions.min': '1' },
    });
    for (let i = 0; i < 5; i++) await send(broker, 'own');
    // As a crash would leave it.
    if (!isStopped) await cp(live, own, { recursive: true });
  }
  if (isStopped) await cp(live, own, { recursive: true });
  expect((await readdir(own)).some((name) => name.startsWith('commit-journal'))).toBe(!isStopped);
  await rm(`${own}/t-0`, { recursive: true });
  await cp(`${foreign}/t-0`, `${own}/t-0`, { recursive: true });
  await expect(adopt(own)).rejects.toThrow(
    /t-0 takes the place of a log that has had records here/,
  );
  const copied = await readFile(`${own}/t-0/${SEGMENT}`);
  expect(copied).toEqual(await readFile(`${foreign}/t-0/${SEGMENT}`));
});

test.each([
  ['aborted', 'abort', /a transaction of producer 5 is aborted; this version has no transactions/],
  ['not finished', null, /a transaction of producer 5 is not finished/],
  ['committed', 'commit', null],
] as const)('records of a transaction that is %s', async (_, type, refusal) => {
  using folder = new TemporaryFolder();
  const { foreign, own } = await twoClusters(folder);
  await cp(`${foreign}/t-0`, `${own}/t-0`, { recursive: true });
  const producer = { id: producerId(5), epoch: 0 };
  const builder = new BatchBuilder({
    compression: Compression.none,
    producer: { ...producer, baseSequence: 0 },
    isTransactional: true,
  });
  builder.append({ key: null, value: null, timestampMs: 1 });
  const marker = { producerId: producer.id, producerEpoch: 0, coordinatorEpoch: 0, timestampMs: 1 };
  const batches = [
    builder.build(),
    ...(type === null ? [] : [buildTransactionMarker({ ...marker, type })]),
  ].map((bytes, at) => {
    const batch = Buffer.from(bytes);
    batch.writeBigInt64BE(BigInt(at));
    return batch;
  });
  await writeFile(`${own}/t-0/${SEGMENT}`, Buffer.concat(batches));
  if (refusal !== null) await expect(adopt(own)).rejects.toThrow(refusal);
  else expect(await adopt(own)).toMatchObject([{ logEndOffset: 2 }]);
});
