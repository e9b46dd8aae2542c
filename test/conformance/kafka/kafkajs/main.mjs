// kafkajs: producer and admin. Its consumer reads in groups only; what was written is read back by
// the Fetch request that this consumer would send.
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
  unsupported,
} from '../harness/features.mjs';
import { listenerFeatures, tlsOf } from '../harness/listeners.mjs';

const require = createRequire(process.env.CLIENT_PACKAGES);
const { CompressionCodecs, CompressionTypes, ConfigResourceTypes, Kafka, logLevel } =
  require('kafkajs');
const Broker = require('kafkajs/src/broker');
const connectionPoolBuilder = require('kafkajs/src/cluster/connectionPoolBuilder');
const socketFactory = require('kafkajs/src/network/socketFactory');
const { createLogger } = require('kafkajs/src/loggers');
const LoggerConsole = require('kafkajs/src/loggers/console');

CompressionCodecs[CompressionTypes.Snappy] = require('kafkajs-snappy');

const RETENTION = 'retention.ms';
const NATIVE =
  'kafkajs has only gzip; the plug-in for this is native code that is built at install';
const kafkaAt = (place, retries = 80) =>
  new Kafka({
    ...{ brokers: [place.server], clientId: 'conformance', logLevel: logLevel.NOTHING },
    ...{ ssl: tlsOf(place) },
    // Outlasts a restart of the server; the admin client repeats what can only fail again, too.
    retry: { initialRetryTime: 100, maxRetryTime: 500, retries },
  });
const kafka = kafkaAt({ server });
const admin = kafka.admin({ retry: { retries: 3, initialRetryTime: 100, maxRetryTime: 300 } });
await admin.connect();
const broker = await connectBroker({ server });

async function connectBroker(place) {
  const logger = createLogger({ level: logLevel.NOTHING, logCreator: LoggerConsole });
  const builder = connectionPoolBuilder({
    ...{ logger, brokers: [place.server], ssl: tlsOf(place), socketFactory: socketFactory() },
    clientId: 'conformance',
    ...{ requestTimeout: 30_000, connectionTimeout: 10_000, enforceRequestTimeout: true },
    ...{ maxInFlightRequests: null, retry: {} },
  });
  const made = new Broker({
    ...{ connectionPool: await builder.build(), logger, allowAutoTopicCreation: false },
  });
  await made.connect();
  return made;
}

async function create(name, partitions = 1, configEntries = []) {
  const topic = topicName(name);
  const topics = [{ topic, numPartitions: partitions, replicationFactor: 1, configEntries }];
  equal(await admin.createTopics({ topics, waitForLeaders: true }), true, 'whether it was created');
  return topic;
}

async function fails(code, body) {
  try {
    await body();
  } catch (error) {
    const cause = error.cause ?? error;
    const inner = cause.errors?.[0] ?? cause.partitions?.[0]?.error ?? cause;
    equal(inner.type, code, `the error "${inner.message}"`);
    return;
  }
  throw new Error(`nothing failed, expected ${code}`);
}

const message = ({ key, value, headers, timestamp }, partition) => {
  const grouped = {};
  for (const [name, each] of headers) grouped[name] = [...(grouped[name] ?? []), each];
  return { key, value, headers: grouped, timestamp: String(timestamp), partition };
};

async function withProducer({ client = kafka, ...options }, work) {
  const producer = client.producer({ allowAutoTopicCreation: false, ...options });
  await producer.connect();
  try {
    return await work(producer);
  } finally {
    await producer.disconnect();
  }
}

async function send(
  topic,
  records,
  { acks = -1, compression = 0, partition = 0, ...options } = {},
) {
  await withProducer(options, async (producer) => {
    const messages = records.map((each) => message(each, partition));
    const told = await producer.send({ topic, messages, acks, compression });
    if (acks !== 0) equal(told[0].baseOffset, '0', 'the first offset');
  });
}

async function fetch(topic, offset, partition, maxWaitTime, from = broker) {
  const partitions = [{ partition, fetchOffset: offset, maxBytes: 10_000_000 }];
  const topics = [{ topic, partitions }];
  const answer = await from.fetch({ maxWaitTime, minBytes: 1, maxBytes: 10_000_000, topics });
  return answer.responses[0].partitions[0].messages
    .filter((each) => Number(each.offset) >= offset)
    .map((each) => ({
      ...{ offset: each.offset, key: each.key, value: each.value },
      timestamp: Number(each.timestamp),
      headers: Object.entries(each.headers).flatMap(([name, values]) =>
        [values].flat().map((value) => [name, value]),
      ),
    }));
}

async function read(topic, offset, count, partition = 0, from = broker) {
  const found = [];
  for (const end = Date.now() + 20_000; found.length < count && Date.now() < end; ) {
    found.push(...(await fetch(topic, offset + found.length, partition, 200, from)));
  }
  return found;
}

async function roundTrip(name, records, options) {
  const topic = await create(name);
  await send(topic, records, options);
  expect(records, await read(topic, 0, records.length));
}

async function metadata() {
  const topic = await create('metadata', 3);
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
  const { partitions } = topics[0];
  equal(partitions.map((each) => each.partitionId).sort(), [0, 1, 2], 'the partitions');
  const { brokers } = await admin.describeCluster();
  for (const { leader, isr } of partitions) {
    const { host, port } = brokers.find(({ nodeId }) => nodeId === leader);
    equal(`${host}:${port}`, server, 'the leader');
    equal(isr, [leader], 'the replicas in sync');
  }
  holds((await admin.listTopics()).includes(topic), 'the topic is listed');
}

async function idempotent() {
  const topic = await create('many');
  const records = numbered(10_000);
  await withProducer({ idempotent: true }, async (producer) => {
    // One after another: the client does not keep the order of sends that wait for each other.
    for (let i = 0; i < records.length; i += 500) {
      const messages = records.slice(i, i + 500).map((each) => message(each, 0));
      const [{ baseOffset }] = await producer.send({ topic, messages });
      equal(baseOffset, String(i), 'the first offset of a batch');
    }
  });
  expect(records, await read(topic, 0, records.length));
}

async function seekByTime() {
  const topic = await create('by-time');
  const records = Array.from({ length: 20 }, (_, i) => record(`at ${i}`, { afterMs: i * 1_000 }));
  await send(topic, records);
  const [found] = await admin.fetchTopicOffsetsByTimestamp(topic, BASE_TIME + 7_500);
  equal(found.offset, '8', 'the offset');
  // The client takes the end for a time after the end.
  const [late] = await admin.fetchTopicOffsetsByTimestamp(topic, BASE_TIME + 60_000);
  equal(late.offset, '20', 'the offset of a time after the end');
  expect(records.slice(8), await read(topic, 8, 12), 8);
}

async function ends() {
  const topic = await create('ends');
  const of = async () => {
    const [{ low, high }] = await admin.fetchTopicOffsets(topic);
    return [low, high];
  };
  equal(await of(), ['0', '0'], 'the ends at first');
  await send(topic, sample(10));
  equal(await of(), ['0', '10'], 'the ends');
}

async function longPoll() {
  const topic = await create('long-poll');
  // It would answer by itself only long after this gives up.
  const waiting = fetch(topic, 0, 0, 25_000);
  await sleep(700);
  await send(topic, [record('wake up')]);
  const found = await Promise.race([waiting, sleep(12_000)]);
  holds(found !== undefined, 'the long poll was not woken within 12 s');
  expect([record('wake up')], found);
}

async function restart() {
  requireRestart();
  const topic = await create('restart');
  const records = [];
  await withProducer({ idempotent: true }, async (producer) => {
    let restarting;
    for (let after = 0; after < 100; ) {
      const batch = Array.from({ length: 10 }, (_, i) =>
        record(`record ${records.length + i}`, { afterMs: records.length }),
      );
      records.push(...batch);
      if (records.length === 1_000) restarting = restartServer();
      const messages = batch.map((each) => message(each, 0));
      const [{ baseOffset }] = await producer.send({ topic, messages });
      equal(baseOffset, String(records.length - 10), 'the first offset of a batch');
      if (restarting?.isOver) after++;
    }
  });
  await broker.disconnect();
  await broker.connect();
  expect(records, await read(topic, 0, records.length));
  equal((await admin.fetchTopicOffsets(topic))[0].high, String(records.length), 'the end');
}

const configOf = async (name, type = ConfigResourceTypes.TOPIC) => {
  const resources = [{ type, name }];
  const { resources: told } = await admin.describeConfigs({ resources, includeSynonyms: false });
  return Object.fromEntries(told[0].configEntries.map((each) => [each.configName, each]));
};

const settingOf = async (topic, name) => (await configOf(topic))[name].configValue;

async function createWithSettings() {
  const topic = await create('created', 3, [
    { name: RETENTION, value: '86400000' },
    { name: 'max.message.bytes', value: '100000' },
  ]);
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
  equal(topics[0].partitions.length, 3, 'the number of partitions');
  equal(await settingOf(topic, RETENTION), '86400000', RETENTION);
  equal(await settingOf(topic, 'max.message.bytes'), '100000', 'max.message.bytes');
  equal((await configOf(topic))[RETENTION].isDefault, false, 'whether it is the default');
}

async function createPartitions() {
  const topic = await create('grows');
  await admin.createPartitions({ topicPartitions: [{ topic, count: 4 }] });
  await eventually(async () => {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    equal(topics[0].partitions.length, 4, 'the number of partitions');
  });
  await fails('INVALID_PARTITIONS', () =>
    admin.createPartitions({ topicPartitions: [{ topic, count: 2 }] }),
  );
  await send(topic, sample(3), { partition: 3 });
  expect(sample(3), await read(topic, 0, 3, 3));
}

const metadataOf = (topic) => admin.fetchTopicMetadata({ topics: [topic] });

async function deleteTopic() {
  const topic = await create('goes');
  await send(topic, sample(5));
  await admin.deleteTopics({ topics: [topic] });
  await eventually(() => fails('UNKNOWN_TOPIC_OR_PARTITION', () => metadataOf(topic)));
  await eventually(() => create('goes'));
  equal((await admin.fetchTopicOffsets(topic))[0].high, '0', 'the end of the new topic');
}

async function describeConfigs() {
  const topic = await create('configs');
  const found = await configOf(topic);
  equal(found[RETENTION].configValue, '604800000', RETENTION);
  equal(found[RETENTION].isDefault, true, 'whether it is the default');
  equal(found['cleanup.policy'].configValue, 'delete', 'cleanup.policy');
  const { brokers } = await admin.describeCluster();
  const settings = await configOf(String(brokers[0].nodeId), ConfigResourceTypes.BROKER);
  holds(Number(settings['message.max.bytes'].configValue) > 0, 'the broker has its settings');
  await fails('UNKNOWN_TOPIC_OR_PARTITION', () => configOf(topicName('no-configs')));
}

const alter = (name, configEntries) =>
  admin.alterConfigs({
    validateOnly: false,
    resources: [{ type: ConfigResourceTypes.TOPIC, name, configEntries }],
  });

async function alterFully() {
  const topic = await create('alters-fully', 1, [{ name: 'segment.bytes', value: '2000000' }]);
  await alter(topic, [{ name: RETENTION, value: '1234567' }]);
  await eventually(async () => equal(await settingOf(topic, RETENTION), '1234567', RETENTION));
  equal((await configOf(topic))['segment.bytes'].isDefault, true, 'whether the other was reset');
}

async function unknownConfig() {
  const entries = [{ name: 'no.such.config', value: '1' }];
  await fails('INVALID_CONFIG', () => create('bad-config', 1, entries));
  const topic = await create('known');
  await fails('INVALID_CONFIG', () => alter(topic, entries));
}

async function deleteRecords() {
  const topic = await create('shrinks');
  await send(topic, sample(20));
  // The client looks for the leader before it asks for the topic.
  await admin.fetchTopicOffsets(topic);
  await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '12' }] });
  equal((await admin.fetchTopicOffsets(topic))[0].low, '12', 'the beginning');
  expect(sample(20).slice(12), await read(topic, 12, 8), 12);
  await fails('OFFSET_OUT_OF_RANGE', () =>
    admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '99' }] }),
  );
}

async function describeCluster() {
  const { brokers, controller, clusterId } = await admin.describeCluster();
  equal(brokers.length, 1, 'the number of brokers');
  equal(`${brokers[0].host}:${brokers[0].port}`, server, 'the address');
  equal(controller, brokers[0].nodeId, 'the controller');
  holds(clusterId, 'there is a cluster id');
}

async function told(place) {
  const asker = kafkaAt(place, 1).admin();
  try {
    await asker.connect();
    const { brokers } = await asker.describeCluster();
    return brokers.map((each) => `${each.host}:${each.port}`);
  } finally {
    await asker.disconnect();
  }
}

/** Where the leader of the first partition says that it is. */
async function leaderOf(topic, place) {
  const asker = kafkaAt(place).admin();
  try {
    await asker.connect();
    const { topics } = await asker.fetchTopicMetadata({ topics: [topic] });
    const { brokers } = await asker.describeCluster();
    const { host, port } = brokers.find(({ nodeId }) => nodeId === topics[0].partitions[0].leader);
    return `${host}:${port}`;
  } finally {
    await asker.disconnect();
  }
}

async function roundTripAt(place, topic) {
  await send(topic, sample(40), { client: kafkaAt(place) });
  const from = await connectBroker({ ...place, server: await leaderOf(topic, place) });
  try {
    expect(sample(40), await read(topic, 0, 40, 0, from));
  } finally {
    await from.disconnect();
  }
}

const everyByte = Uint8Array.from({ length: 256 }, (_, i) => i);
// The client groups headers by their names.
const headers = [
  ...[
    ['name', 'first'],
    ['name', 'second'],
    ['größe', everyByte],
  ],
  ['empty', ''],
];

await feature('metadata', metadata);
await feature('produce and fetch, none', () => roundTrip('codec-none', sample(40)));
await feature('produce and fetch, gzip', () =>
  roundTrip('codec-gzip', sample(40), { compression: CompressionTypes.GZIP }),
);
await feature('produce and fetch, snappy', () =>
  roundTrip('codec-snappy', sample(40), { compression: CompressionTypes.Snappy }),
);
await feature('produce and fetch, lz4', () => unsupported(NATIVE));
await feature('produce and fetch, zstd', () => unsupported(NATIVE));
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
await feature('offset of the largest timestamp', () =>
  unsupported('kafkajs speaks ListOffsets up to version 3; this came with 7'),
);
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
  const topics = [{ topic }];
  // The client makes false of TOPIC_ALREADY_EXISTS.
  equal(await admin.createTopics({ topics }), false, 'whether it was created');
});
await feature('create a topic with an invalid name', () =>
  fails('INVALID_TOPIC_EXCEPTION', () =>
    admin.createTopics({ topics: [{ topic: 'not a name!' }] }),
  ),
);
await feature('create partitions', createPartitions);
await feature('delete a topic', deleteTopic);
await feature('unknown topic', async () => {
  const topic = topicName('unknown');
  await fails('UNKNOWN_TOPIC_OR_PARTITION', () => metadataOf(topic));
  await fails('UNKNOWN_TOPIC_OR_PARTITION', () => admin.deleteTopics({ topics: [topic] }));
});
await feature('describe configs', describeConfigs);
await feature('alter configs, incremental', () => unsupported('kafkajs has only the full form'));
await feature('alter configs, full', alterFully);
await feature('unknown config', unknownConfig);
await feature('delete records', deleteRecords);
await feature('describe the cluster', describeCluster);
await feature('describe log dirs', () => unsupported('kafkajs has no DescribeLogDirs'));
await feature('describe producers', () => unsupported('kafkajs has no DescribeProducers'));
await listenerFeatures({ told, roundTrip: roundTripAt });
process.exit(0);
