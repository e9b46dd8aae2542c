// @platformatic/kafka: producer, admin, and the fetch of its consumer that needs no group.
import { createRequire } from 'node:module';
import {
  BASE_TIME,
  equal,
  eventually,
  expect,
  feature,
  holds,
  incompressible,
  numbered,
  record,
  requireRestart,
  restartServer,
  sample,
  server,
  sleep,
  topicName,
} from '../harness/features.mjs';
import { listenerFeatures } from '../harness/listeners.mjs';
import { optionsAt, told } from './places.mjs';

const require = createRequire(process.env.CLIENT_PACKAGES);
const {
  Admin,
  ConfigResourceTypes,
  ConfigSources,
  Connection,
  Consumer,
  IncrementalAlterConfigOperationTypes: Operations,
  ListOffsetTimestamps,
  Producer,
  describeClusterV1,
  describeProducersV0,
} = await import(require.resolve('@platformatic/kafka'));

const RETENTION = 'retention.ms';
const options = optionsAt({ server });
const admin = new Admin(options);
const connection = new Connection('conformance');
const [host, port] = server.split(':');
await connection.connect(host, Number(port));

async function create(name, partitions = 1, configs = []) {
  const topic = topicName(name);
  const topics = [{ topic, partitions, replicas: 1 }];
  await admin.createTopics({ topics, configs });
  await eventually(() => offsetAt(topic, ListOffsetTimestamps.LATEST, partitions - 1));
  return topic;
}

async function offsetAt(topic, timestamp, partitionIndex = 0) {
  const topics = [{ name: topic, partitions: [{ partitionIndex, timestamp }] }];
  const [{ partitions }] = await admin.listOffsets({ topics });
  return partitions[0];
}

const metadataOf = async (topic, client = admin) => {
  const found = await client.metadata({ topics: [topic], forceUpdate: true });
  return { ...found, topic: found.topics.get(topic) };
};

async function fails(apiId, body) {
  try {
    await body();
  } catch (error) {
    const found = error.findBy?.('apiId', apiId);
    holds(found, `the error is "${error.message}: ${error.errors?.[0]?.message}", not ${apiId}`);
    return;
  }
  throw new Error(`nothing failed, expected ${apiId}`);
}

/** The client says in its own words what the broker answered. */
async function isUnknown(topic) {
  try {
    await metadataOf(topic);
  } catch (error) {
    equal(error.message, `Unknown topic ${topic}.`, 'the error');
    return;
  }
  throw new Error(`${topic} is still known`);
}

const message = (topic, partition, { key, value, headers, timestamp }) => ({
  ...{ topic, partition, value, timestamp: BigInt(timestamp) },
  ...(key === null ? {} : { key }),
  headers: new Map(headers.map(([name, each]) => [Buffer.from(name), each])),
});

async function withProducer(more, work) {
  const producer = new Producer({ ...options, autocreateTopics: false, ...more });
  try {
    return await work(producer);
  } finally {
    await producer.close();
  }
}

async function send(topic, records, { partition = 0, ...more } = {}) {
  await withProducer(more, async (producer) => {
    const messages = records.map((each) => message(topic, partition, each));
    const { offsets } = await producer.send({ messages });
    if (more.acks !== 0) equal(offsets, [{ topic, partition, offset: 0n }], 'the first offset');
  });
}

async function withConsumer(work, more = {}) {
  const consumer = new Consumer({ ...options, ...more, groupId: 'unused' });
  try {
    return await work(consumer);
  } finally {
    await consumer.close(true);
  }
}

/** One Fetch request, and the records of its answer. */
async function fetch(consumer, topic, offset, partition, maxWaitTime) {
  const found = await metadataOf(topic, consumer);
  const answer = await consumer.fetch({
    ...{ node: found.topic.partitions[partition].leader, minBytes: 1, maxWaitTime },
    topics: [
      {
        topicId: found.topic.id,
        partitions: [
          {
            ...{ partition, fetchOffset: BigInt(offset), partitionMaxBytes: 10_000_000 },
            ...{ currentLeaderEpoch: -1, lastFetchedEpoch: -1 },
          },
        ],
      },
    ],
  });
  const batches = answer.responses.flatMap(({ partitions }) => partitions[0].records ?? []);
  return batches
    .flatMap(({ firstOffset, firstTimestamp, records }) =>
      records.map(({ offsetDelta, timestampDelta, key, value, headers }) => ({
        ...{ offset: Number(firstOffset) + offsetDelta, key, value },
        timestamp: Number(firstTimestamp + timestampDelta),
        headers: headers.map(([name, each]) => [String(name), each]),
      })),
    )
    .filter((each) => each.offset >= offset);
}

async function read(topic, offset, count, partition = 0, more = {}) {
  return await withConsumer(async (consumer) => {
    const found = [];
    for (const end = Date.now() + 20_000; found.length < count && Date.now() < end; ) {
      found.push(...(await fetch(consumer, topic, offset + found.length, partition, 200)));
    }
    return found;
  }, more);
}

async function roundTrip(name, records, more) {
  const topic = await create(name);
  await send(topic, records, more);
  expect(records, await read(topic, 0, records.length));
}

async function metadata() {
  const topic = await create('metadata', 3);
  const found = await metadataOf(topic);
  equal(found.topic.partitionsCount, 3, 'the number of partitions');
  for (const { leader, isr } of found.topic.partitions) {
    const broker = found.brokers.get(leader);
    equal(`${broker.host}:${broker.port}`, server, 'the leader');
    equal(isr, [leader], 'the replicas in sync');
  }
  holds(found.id, 'there is a cluster id');
  holds((await admin.listTopics()).includes(topic), 'the topic is listed');
}

async function idempotent() {
  const topic = await create('many');
  const records = numbered(10_000);
  await withProducer({ idempotent: true }, async (producer) => {
    const sends = [];
    for (let i = 0; i < records.length; i += 100) {
      const messages = records.slice(i, i + 100).map((each) => message(topic, 0, each));
      sends.push(producer.send({ messages }));
      // The first asks for the metadata and the producer id, which the others find.
      if (i === 0) await sends[0];
    }
    const told = await Promise.all(sends);
    told.forEach(({ offsets }, i) => {
      equal(offsets[0].offset, BigInt(i * 100), `the first offset of batch ${i}`);
    });
  });
  expect(records, await read(topic, 0, records.length));
}

async function seekByTime() {
  const topic = await create('by-time');
  const records = Array.from({ length: 20 }, (_, i) => record(`at ${i}`, { afterMs: i * 1_000 }));
  await send(topic, records);
  const found = await offsetAt(topic, BigInt(BASE_TIME + 7_500));
  equal(
    [found.offset, found.timestamp],
    [8n, BigInt(BASE_TIME + 8_000)],
    'the offset and its time',
  );
  const late = await offsetAt(topic, BigInt(BASE_TIME + 60_000));
  equal(late.offset, -1n, 'the offset of a time after the end');
  expect(records.slice(8), await read(topic, 8, 12), 8);
}

async function ends() {
  const topic = await create('ends');
  equal((await offsetAt(topic, ListOffsetTimestamps.LATEST)).offset, 0n, 'the end at first');
  await send(topic, sample(10));
  equal((await offsetAt(topic, ListOffsetTimestamps.EARLIEST)).offset, 0n, 'the beginning');
  equal((await offsetAt(topic, ListOffsetTimestamps.LATEST)).offset, 10n, 'the end');
}

async function largestTimestamp() {
  const topic = await create('largest');
  const records = Array.from({ length: 10 }, (_, i) => record('x', { afterMs: i === 4 ? 500 : i }));
  await send(topic, records);
  const { offset, timestamp } = await offsetAt(topic, ListOffsetTimestamps.MAX);
  equal([offset, timestamp], [4n, BigInt(BASE_TIME + 500)], 'the offset and its time');
}

async function longPoll() {
  const topic = await create('long-poll');
  await withConsumer(async (consumer) => {
    // It would answer by itself only long after this gives up.
    const waiting = fetch(consumer, topic, 0, 0, 25_000);
    await sleep(700);
    await send(topic, [record('wake up')]);
    const found = await Promise.race([waiting, sleep(12_000)]);
    holds(found !== undefined, 'the long poll was not woken within 12 s');
    expect([record('wake up')], found);
  });
}

async function restart() {
  requireRestart();
  const topic = await create('restart');
  const records = [];
  await withProducer({ idempotent: true, retries: 200, retryDelay: 200 }, async (producer) => {
    let restarting;
    for (let after = 0; after < 100; ) {
      const batch = Array.from({ length: 10 }, (_, i) =>
        record(`record ${records.length + i}`, { afterMs: records.length }),
      );
      records.push(...batch);
      if (records.length === 1_000) restarting = restartServer();
      const messages = batch.map((each) => message(topic, 0, each));
      const { offsets } = await producer.send({ messages });
      equal(offsets[0].offset, BigInt(records.length - 10), 'the first offset of a batch');
      if (restarting?.isOver) after++;
    }
  });
  expect(records, await read(topic, 0, records.length));
  const { offset } = await eventually(() => offsetAt(topic, ListOffsetTimestamps.LATEST));
  equal(offset, BigInt(records.length), 'the end');
  await connection.close().catch(() => {});
  await connection.connect(host, Number(port));
}

const configOf = async (resourceName, resourceType = ConfigResourceTypes.TOPIC) => {
  const [{ configs }] = await admin.describeConfigs({
    resources: [{ resourceType, resourceName }],
  });
  return Object.fromEntries(configs.map((each) => [each.name, each]));
};

const settingOf = async (topic, name) => (await configOf(topic))[name].value;

const alter = (resourceName, name, value, configOperation = Operations.SET) =>
  admin.incrementalAlterConfigs({
    resources: [
      {
        ...{ resourceType: ConfigResourceTypes.TOPIC, resourceName },
        configs: [{ name, configOperation, ...(value === undefined ? {} : { value }) }],
      },
    ],
  });

async function createWithSettings() {
  const topic = await create('created', 3, [
    { name: RETENTION, value: '86400000' },
    { name: 'max.message.bytes', value: '100000' },
  ]);
  equal((await metadataOf(topic)).topic.partitionsCount, 3, 'the number of partitions');
  equal(await settingOf(topic, RETENTION), '86400000', RETENTION);
  equal(await settingOf(topic, 'max.message.bytes'), '100000', 'max.message.bytes');
  const { configSource } = (await configOf(topic))[RETENTION];
  equal(configSource, ConfigSources.TOPIC_CONFIG, 'its source');
}

async function createPartitions() {
  const topic = await create('grows');
  await admin.createPartitions({ topics: [{ name: topic, count: 4 }] });
  await eventually(async () =>
    equal((await metadataOf(topic)).topic.partitionsCount, 4, 'the number of partitions'),
  );
  await fails('INVALID_PARTITIONS', () =>
    admin.createPartitions({ topics: [{ name: topic, count: 2 }] }),
  );
  await eventually(() => offsetAt(topic, ListOffsetTimestamps.LATEST, 3));
  await send(topic, sample(3), { partition: 3 });
  expect(sample(3), await read(topic, 0, 3, 3));
}

async function deleteTopic() {
  const topic = await create('goes');
  await send(topic, sample(5));
  await admin.deleteTopics({ topics: [topic] });
  await eventually(() => isUnknown(topic));
  await eventually(() => create('goes'));
  equal(
    (await offsetAt(topic, ListOffsetTimestamps.LATEST)).offset,
    0n,
    'the end of the new topic',
  );
}

async function describeConfigs() {
  const topic = await create('configs');
  const found = await configOf(topic);
  equal(found[RETENTION].value, '604800000', RETENTION);
  equal(found[RETENTION].configSource, ConfigSources.DEFAULT_CONFIG, 'its source');
  equal(found['cleanup.policy'].value, 'delete', 'cleanup.policy');
  const [node] = (await metadataOf(topic)).brokers.keys();
  const settings = await configOf(String(node), ConfigResourceTypes.BROKER);
  holds(Number(settings['message.max.bytes'].value) > 0, 'the broker has its settings');
  await fails('UNKNOWN_TOPIC_OR_PARTITION', () => configOf(topicName('no-configs')));
}

async function alterIncrementally() {
  const topic = await create('alters');
  await alter(topic, RETENTION, '1234567');
  await alter(topic, 'segment.bytes', '2000000');
  await eventually(async () =>
    equal(await settingOf(topic, 'segment.bytes'), '2000000', 'its size'),
  );
  equal(await settingOf(topic, RETENTION), '1234567', RETENTION);
  await alter(topic, RETENTION, undefined, Operations.DELETE);
  await eventually(async () => equal(await settingOf(topic, RETENTION), '604800000', RETENTION));
  await fails('INVALID_CONFIG', () => alter(topic, RETENTION, 'soon'));
}

async function alterFully() {
  const topic = await create('alters-fully', 1, [{ name: 'segment.bytes', value: '2000000' }]);
  const resource = { resourceType: ConfigResourceTypes.TOPIC, resourceName: topic };
  const configs = [{ name: RETENTION, value: '1234567' }];
  await admin.alterConfigs({ resources: [{ ...resource, configs }] });
  await eventually(async () => equal(await settingOf(topic, RETENTION), '1234567', RETENTION));
  const { configSource } = (await configOf(topic))['segment.bytes'];
  equal(configSource, ConfigSources.DEFAULT_CONFIG, 'the source of the other');
}

async function deleteRecords() {
  const topic = await create('shrinks');
  await send(topic, sample(20));
  const before = (offset) =>
    admin.deleteRecords({ topics: [{ name: topic, partitions: [{ partition: 0, offset }] }] });
  const [{ partitions }] = await before(12n);
  equal(partitions, [{ partition: 0, lowWatermark: 12n }], 'the low watermark');
  equal((await offsetAt(topic, ListOffsetTimestamps.EARLIEST)).offset, 12n, 'the beginning');
  expect(sample(20).slice(12), await read(topic, 12, 8), 12);
  await fails('OFFSET_OUT_OF_RANGE', () => before(99n));
}

async function describeCluster() {
  const found = await admin.metadata({ forceUpdate: true, topics: [] });
  equal(
    [...found.brokers.values()].map((each) => `${each.host}:${each.port}`),
    [server],
    'the addresses',
  );
  const told = await describeClusterV1.api.async(connection, false, 1);
  equal(told.clusterId, found.id, 'the cluster id');
  equal(
    told.brokers.map((each) => `${each.host}:${each.port}`),
    [server],
    'the addresses',
  );
  equal(told.controllerId, told.brokers[0].brokerId, 'the controller');
}

async function describeLogDirs() {
  const topic = await create('log-dirs');
  await send(topic, [record(Buffer.alloc(50_000))]);
  const [{ results }] = await admin.describeLogDirs({ topics: [{ name: topic, partitions: [0] }] });
  const sizes = results
    .flatMap(({ topics }) => topics)
    .filter(({ name }) => name === topic)
    .flatMap(({ partitions }) => partitions.map(({ partitionSize }) => Number(partitionSize)));
  holds(sizes.length === 1 && sizes[0] >= 50_000 && sizes[0] < 60_000, `the sizes are ${sizes}`);
}

async function describeProducers() {
  const topic = await create('producers');
  await send(topic, sample(10), { idempotent: true });
  const told = await describeProducersV0.api.async(connection, [
    { name: topic, partitionIndexes: [0] },
  ]);
  const [found] = told.topics[0].partitions[0].activeProducers;
  equal(
    [found.lastSequence, found.producerEpoch],
    [9, 0],
    'the last sequence number and the epoch',
  );
  equal(found.lastTimestamp, BigInt(BASE_TIME + 9), 'the last time');
}

async function roundTripAt(place, topic) {
  const more = optionsAt(place);
  await send(topic, sample(40), more);
  expect(sample(40), await read(topic, 0, 40, 0, more));
}

const everyByte = Uint8Array.from({ length: 256 }, (_, i) => i);
const headers = [
  ...[
    ['name', 'first'],
    ['name', null],
    ['größe', everyByte],
  ],
  ['empty', ''],
];

await feature('metadata', metadata);
for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd']) {
  await feature(`produce and fetch, ${codec}`, () =>
    roundTrip(`codec-${codec}`, sample(40), { compression: codec }),
  );
}
await feature('headers', () =>
  roundTrip('headers', [record('v', { key: 'k', headers }), record('without')]),
);
await feature('null keys', () =>
  roundTrip('null-keys', [record('v'), record('v', { key: '' }), record('v', { key: 'key' })]),
);
await feature('null values', () =>
  roundTrip('null-values', [record(null, { key: 'a' }), record('', { key: 'b' })]),
);
await feature('a record of 900 KB', () => roundTrip('large', [record(incompressible(900_000))]));
await feature('10,000 records in order, pipelined, idempotent', idempotent);
for (const [name, acks] of [
  ['0', 0],
  ['1', 1],
  ['all', -1],
]) {
  await feature(`acks ${name}`, () => roundTrip(`acks-${name}`, sample(100), { acks }));
}
await feature('seek by time', seekByTime);
await feature('earliest and latest offsets', ends);
await feature('offset of the largest timestamp', largestTimestamp);
await feature('read a partition from an offset', async () => {
  const topic = await create('from-offset');
  await send(topic, sample(100));
  expect(sample(100).slice(37), await read(topic, 37, 63), 37);
});
await feature('a long poll is woken by a produce', longPoll);
await feature('produce through a broker restart', restart);
await feature('create a topic with settings', createWithSettings);
await feature('create a topic that exists', async () => {
  const topic = await create('exists');
  await fails('TOPIC_ALREADY_EXISTS', () => admin.createTopics({ topics: [topic] }));
});
await feature('create a topic with an invalid name', () =>
  fails('INVALID_TOPIC_EXCEPTION', () => admin.createTopics({ topics: ['not a name!'] })),
);
await feature('create partitions', createPartitions);
await feature('delete a topic', deleteTopic);
await feature('unknown topic', async () => {
  const topic = topicName('unknown');
  await isUnknown(topic);
  await fails('UNKNOWN_TOPIC_OR_PARTITION', () => admin.deleteTopics({ topics: [topic] }));
});
await feature('describe configs', describeConfigs);
await feature('alter configs, incremental', alterIncrementally);
await feature('alter configs, full', alterFully);
await feature('unknown config', async () => {
  const configs = [{ name: 'no.such.config', value: '1' }];
  await fails('INVALID_CONFIG', () => create('bad-config', 1, configs));
  const topic = await create('known');
  await fails('INVALID_CONFIG', () => alter(topic, 'no.such.config', '1'));
});
await feature('delete records', deleteRecords);
await feature('describe the cluster', describeCluster);
await feature('describe log dirs', describeLogDirs);
await feature('describe producers', describeProducers);
await listenerFeatures({
  ...{ told, roundTrip: roundTripAt },
  // The client keeps to itself why it was hung up on.
  unproven: /Connection closed/,
});
process.exit(0);
