import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { credentials, type ServiceError, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { BrokerProcess, metric, TemporaryFolder } from '../support/processes.ts';
import {
  ADMIN,
  endOf,
  errorName,
  LOG,
  type Message,
  nextMessage,
  produce,
  Stranger,
} from './stranger.ts';

/** The broker as somebody sees it who has nothing of ours but `proto/`. */

const MIB = 1024 ** 2;
const MESSAGE_MAX_BYTES = MIB;
const STALLED_READER_MS = 400;

const folder = new TemporaryFolder();
const broker = new BrokerProcess(
  `${folder.path}/data`,
  ...['--set', `grpc.message.max.bytes=${MESSAGE_MAX_BYTES}`],
  ...['--set', `grpc.stalled.reader.ms=${STALLED_READER_MS}`],
  // What readers get then comes from the disk, and memory that grows is theirs.
  ...['--set', 'log.tail.cache.bytes=0'],
);
beforeAll(() => broker.start());
afterAll(async () => {
  await broker.kill();
  folder[Symbol.dispose]();
});

function connect(): Stranger {
  const stranger = new Stranger(broker.address);
  onTestFinished(() => stranger[Symbol.dispose]());
  return stranger;
}

async function createTopic(stranger: Stranger, name: string): Promise<void> {
  const created = await stranger.unary(`${ADMIN}/CreateTopics`, { topics: [{ name }] });
  expect(created.topics).toMatchObject([{ name, error: null }]);
}

const record = (key: string, value: string): Message => ({
  key: Buffer.from(key),
  value: Buffer.from(value),
});

test('records that go in one by one come out with their offsets, keys, headers and times', async () => {
  const stranger = connect();
  await createTopic(stranger, 'plain');
  const headers = [
    { key: 'h', value: Buffer.from('x') },
    { key: 'h', value: Buffer.from('') },
  ];
  const produced = await produce(stranger, [
    { partitions: [{ topic: 'plain', plain_records: [record('a', 'one')] }] },
    {
      partitions: [
        {
          topic: 'plain',
          plain_records: [{ headers, timestamp_ms: 1_700_000_000_000 }, record('', '')],
        },
      ],
    },
  ]);
  expect(produced).toMatchObject([
    { topic: 'plain', partition: 0, error: null, base_offset: 0, log_start_offset: 0 },
    { topic: 'plain', partition: 0, error: null, base_offset: 1 },
  ]);

  const stream = stranger.stream(`${LOG}/Fetch`);
  stream.write({
    correlation_id: 7,
    credit_bytes: MIB,
    plain_records: true,
    positions: [{ topic: 'plain' }],
  });
  const records: Message[] = [];
  while (records.length < 3) {
    const { partitions } = await nextMessage(stream);
    expect(partitions).toMatchObject([
      { topic: 'plain', correlation_id: 7, error: null, high_watermark: 3 },
    ]);
    records.push(...partitions[0].plain_records);
  }
  stream.cancel();
  stream.on('error', () => {});
  expect(records).toMatchObject([
    { offset: 0, ...record('a', 'one'), headers: [] },
    { offset: 1, headers, timestamp_ms: 1_700_000_000_000 },
    { offset: 2, ...record('', ''), headers: [] },
  ]);
  expect(records[1]).not.toHaveProperty('key');
  expect(records[1]).not.toHaveProperty('value');
});

test('a Fetch stream that was half-closed ends when its credit is spent', async () => {
  const stranger = connect();
  await createTopic(stranger, 'half-closed');
  const partitions = [{ topic: 'half-closed', plain_records: [record('k', 'v')] }];
  await produce(stranger, [{ partitions }]);
  const stream = stranger.stream(`${LOG}/Fetch`);
  stream.write({ correlation_id: 1, credit_bytes: 1, positions: [{ topic: 'half-closed' }] });
  stream.end();
  const messages: Message[] = [];
  for await (const message of stream) messages.push(message);
  expect(messages).toHaveLength(1);
  expect(messages[0].partitions[0].records.length).toBeGreaterThan(61);
});

test('the administration can be used from start to end of a topic', async () => {
  const stranger = connect();
  const admin = (method: string, request: Message = {}): Promise<Message> =>
    stranger.unary(`${ADMIN}/${method}`, request);
  const { max_message_bytes, node_id, cluster_id } = await admin('GetCapabilities');
  expect({ max_message_bytes, node_id }).toEqual({
    max_message_bytes: MESSAGE_MAX_BYTES,
    node_id: 1,
  });
  const cluster = await admin('DescribeCluster');
  expect(cluster).toMatchObject({ cluster_id, controller_id: 1, brokers: [{ node_id: 1 }] });
  expect(`${cluster.brokers[0].host}:${cluster.brokers[0].port}`).toBe(broker.address);

  const topic = { name: 'managed', partition_count: 2, configs: { 'retention.ms': '1000000' } };
  const created = await admin('CreateTopics', { topics: [topic, { name: 'no/such name' }] });
  expect(created.topics).toMatchObject([
    { name: 'managed', error: null, partition_count: 2, replication_factor: 1 },
    { name: 'no/such name', error: { code: 17, name: 'INVALID_TOPIC_EXCEPTION' } },
  ]);
  await admin('CreatePartitions', { topics: [{ name: 'managed', total_count: 3 }] });
  const change = { name: 'managed', set: { 'segment.bytes': '1048576' }, unset: ['retention.ms'] };
  await admin('AlterConfigs', { topics: [change] });
  const { topics } = await admin('DescribeConfigs', { topics: ['managed'] });
  const entry = (name: string): Message =>
    topics[0].entries.find((each: Message) => each.name === name);
  expect(entry('segment.bytes')).toMatchObject({
    value: '1048576',
    source: 'CONFIG_SOURCE_TOPIC',
  });
  expect(entry('retention.ms')).toMatchObject({ source: 'CONFIG_SOURCE_DEFAULT' });

  const partitions = [{ topic: 'managed', partition: 2, plain_records: [record('k', 'v')] }];
  await produce(stranger, [{ partitions }, { partitions }]);
  const place = { topic: 'managed', partition: 2 };
  const deleted = await admin('DeleteRecords', { partitions: [{ ...place, before_offset: 1 }] });
  expect(deleted.partitions).toMatchObject([{ ...place, error: null, log_start_offset: 1 }]);
  const offsets = await admin('ListOffsets', {
    partitions: [
      { ...place, earliest: true },
      { ...place, latest: true },
      { ...place, timestamp_ms: Date.now() + 1_000_000 },
    ],
  });
  expect(offsets.partitions.map((each: Message) => each.offset)).toEqual([1, 2, -1]);

  await admin('DeleteTopics', { names: ['managed'] });
  const described = await admin('DescribeTopics', { names: ['managed'] });
  expect(described.topics).toMatchObject([{ error: { name: 'UNKNOWN_TOPIC_OR_PARTITION' } }]);
});

test('the standard health service says that the broker and each service serve', async () => {
  const stranger = connect();
  const check = (service: string): Promise<Message> =>
    stranger.unary('grpc.health.v1.Health/Check', { service });
  for (const service of ['', ADMIN, LOG]) {
    expect(await check(service)).toEqual({ status: 'SERVING' });
  }
  await expect(check('varve.v1.NoService')).rejects.toMatchObject({ code: status.NOT_FOUND });
});

test('the standard reflection service tells what is served', async () => {
  const stream = connect().stream('grpc.reflection.v1.ServerReflection/ServerReflectionInfo');
  stream.write({ list_services: '' });
  const listed = await nextMessage(stream);
  const names = listed.list_services_response.service.map((each: Message) => each.name);
  expect(names).toEqual(expect.arrayContaining([ADMIN, LOG, 'grpc.health.v1.Health']));
  stream.write({ file_containing_symbol: `${LOG}` });
  const found = await nextMessage(stream);
  const files: Buffer[] = found.file_descriptor_response.file_descriptor_proto;
  expect(Buffer.concat(files).includes('ProduceRequest')).toBe(true);
  stream.end();
});

test('a message over the limit ends its call with RESOURCE_EXHAUSTED and no other', async () => {
  const stranger = connect();
  await createTopic(stranger, 'large');
  const bystander = stranger.stream(`${LOG}/Produce`);
  await nextMessage(bystander);

  const value = Buffer.alloc(MESSAGE_MAX_BYTES + 1);
  const partitions = [{ topic: 'large', plain_records: [{ value }] }];
  await expect(produce(stranger, [{ partitions }])).rejects.toMatchObject({
    code: status.RESOURCE_EXHAUSTED,
  });
  const names = [value.toString('latin1')];
  await expect(stranger.unary(`${ADMIN}/DescribeTopics`, { names })).rejects.toMatchObject({
    code: status.RESOURCE_EXHAUSTED,
  });

  const small = [{ topic: 'large', plain_records: [record('k', 'v')] }];
  bystander.write({ correlation_id: 1, partitions: small });
  expect((await nextMessage(bystander)).partitions).toMatchObject([{ error: null }]);
  bystander.end();
  expect(stranger.isConnected).toBe(true);
});

test('an unknown topic or partition is told by name, and the stream goes on', async () => {
  const stranger = connect();
  await createTopic(stranger, 'known');
  const plain_records = [record('k', 'v')];
  const unknown = { error: { code: 3, name: 'UNKNOWN_TOPIC_OR_PARTITION', retriable: true } };
  const produced = await produce(stranger, [
    {
      partitions: [
        { topic: 'nowhere', plain_records },
        { topic: 'known', partition: 9, plain_records },
        { topic: 'known', plain_records },
      ],
    },
    { partitions: [{ topic: 'known', plain_records }] },
  ]);
  expect(produced).toMatchObject([
    { ...unknown, base_offset: -1 },
    unknown,
    { error: null, base_offset: 0 },
    { error: null, base_offset: 1 },
  ]);
  expect(produced[0].error.message).toContain('nowhere');
});

/** What the first answer to a position says. */
async function firstFetched(stranger: Stranger, position: Message): Promise<Message> {
  const stream = stranger.stream(`${LOG}/Fetch`);
  stream.write({ correlation_id: 1, credit_bytes: 1000, positions: [position] });
  const { partitions } = await nextMessage(stream);
  stream.on('error', () => {});
  stream.cancel();
  return partitions[0];
}

test('a position of a wrong leader epoch, offset or topic id is refused', async () => {
  const stranger = connect();
  await createTopic(stranger, 'fenced');
  const partitions = [{ topic: 'fenced', plain_records: [record('k', 'v')] }];
  await produce(stranger, [{ partitions }]);
  const { topics } = await stranger.unary(`${ADMIN}/DescribeTopics`, { names: ['fenced'] });
  const { leader_epoch } = topics[0].partitions[0];
  const at = { topic: 'fenced', leader_epoch };
  const fetch = (position: Message): Promise<Message> => firstFetched(stranger, position);
  expect(await fetch(at)).toMatchObject({ error: null, high_watermark: 1 });
  expect(await fetch({ ...at, leader_epoch: leader_epoch + 1 })).toMatchObject({
    error: { name: 'UNKNOWN_LEADER_EPOCH', retriable: true },
    high_watermark: -1,
  });
  expect(await fetch({ ...at, offset: 2 })).toMatchObject({
    error: { name: 'OFFSET_OUT_OF_RANGE', retriable: false },
  });
  expect(await fetch({ ...at, topic_id: Buffer.alloc(16, 9) })).toMatchObject({
    error: { name: 'INCONSISTENT_TOPIC_ID' },
  });
  expect(await fetch({ topic: 'elsewhere' })).toMatchObject({
    error: { name: 'UNKNOWN_TOPIC_OR_PARTITION' },
  });

  // A new incarnation has a new epoch; the old one is fenced, and no epoch is any epoch.
  await broker.stop();
  await broker.start();
  const after = connect();
  expect(await firstFetched(after, at)).toMatchObject({ error: { name: 'FENCED_LEADER_EPOCH' } });
  expect(await firstFetched(after, { topic: 'fenced' })).toMatchObject({ error: null });
});

test('a malformed request ends its stream with a name in the trailers', async () => {
  const stream = connect().stream(`${LOG}/Produce`);
  stream.write({ correlation_id: 0 });
  const error = await endOf(stream);
  expect(error.code).toBe(status.INVALID_ARGUMENT);
  expect(errorName(error)).toBe('INVALID_REQUEST');
  expect(error.metadata.get('varve-error-code')).toEqual(['42']);
  expect(error.metadata.get('varve-error-retriable')).toEqual(['false']);
});

test('readers that stop reading are cut with SLOW_READER and cost the broker little memory', async () => {
  const stranger = connect();
  await createTopic(stranger, 'bulk');
  const value = Buffer.alloc(900_000, 'x');
  const partitions = [{ topic: 'bulk', plain_records: [{ value }] }];
  await produce(stranger, Array<Message>(72).fill({ partitions }));
  const residentBytes = (): Promise<number> => metric(broker, 'process_resident_memory_bytes');
  const before = await residentBytes();

  // Together they are granted four times 64 MiB, and take a little of it. (A client of grpc-js that
  // never reads at all takes everything into its own memory.)
  const streams = await Promise.all(
    Array.from({ length: 4 }, async () => {
      const stream = connect().stream(`${LOG}/Fetch`);
      stream.write({ correlation_id: 1, credit_bytes: 64 * MIB, positions: [{ topic: 'bulk' }] });
      await nextMessage(stream);
      return stream;
    }),
  );
  // The status is queued behind what the reader did not take, and is dropped only seconds later.
  await sleep(4 * STALLED_READER_MS);
  const grown = (await residentBytes()) - before;
  expect(grown).toBeLessThan(100 * MIB);
  for (const error of await Promise.all(streams.map(endOf))) {
    expect(error.code).toBe(status.RESOURCE_EXHAUSTED);
    expect(errorName(error)).toBe('SLOW_READER');
  }
  expect(await firstFetched(stranger, { topic: 'bulk', offset: 71 })).toMatchObject({
    error: null,
  });
});

const tlsFile = (name: string): string =>
  fileURLToPath(new URL(`../fixtures/tls/${name}`, import.meta.url));
const pem = (name: string): Buffer => readFileSync(tlsFile(name));

async function startTls(...settings: readonly string[]): Promise<BrokerProcess> {
  const own = new TemporaryFolder();
  const process = new BrokerProcess(
    `${own.path}/data`,
    ...['--set', `grpc.tls.cert.file=${tlsFile('server.crt')}`],
    ...['--set', `grpc.tls.key.file=${tlsFile('server.key')}`],
    ...settings.flatMap((setting) => ['--set', setting]),
  );
  onTestFinished(async () => {
    await process.kill();
    own[Symbol.dispose]();
  });
  await process.start();
  return process;
}

/** What a client with these credentials gets: the number of topics, or the status. */
async function tryTls(
  process: BrokerProcess,
  ...tls: Parameters<typeof credentials.createSsl> | []
): Promise<number | string> {
  // Not by its address: Node allows no IP address as the name of a TLS server.
  using stranger = new Stranger(process.address.replace('127.0.0.1', 'localhost'), {
    credentials: tls.length === 0 ? credentials.createInsecure() : credentials.createSsl(...tls),
  });
  try {
    return (await stranger.unary(`${ADMIN}/ListTopics`, {})).topics.length;
  } catch (error) {
    return status[(error as ServiceError).code]!;
  }
}

test('with a certificate the listener speaks TLS only', async () => {
  const process = await startTls();
  expect(await tryTls(process, pem('ca.crt'))).toBe(0);
  expect(await tryTls(process, pem('other-ca.crt'))).toBe('UNAVAILABLE');
  expect(await tryTls(process)).toBe('UNAVAILABLE');
});

test('with an authority for clients only those get in that it has signed', async () => {
  const process = await startTls(`grpc.tls.client.ca.file=${tlsFile('ca.crt')}`);
  const as = (name: string): Promise<number | string> =>
    tryTls(process, pem('ca.crt'), pem(`${name}.key`), pem(`${name}.crt`));
  expect(await as('client')).toBe(0);
  expect(await as('stranger')).toBe('UNAVAILABLE');
  expect(await tryTls(process, pem('ca.crt'))).toBe('UNAVAILABLE');
});
