// librdkafka through @confluentinc/kafka-javascript: producer, consumer with assigned partitions, admin.
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
import { listenerFeatures } from '../harness/listeners.mjs';

const require = createRequire(process.env.CLIENT_PACKAGES);
const RdKafka = require('@confluentinc/kafka-javascript');
const { AdminClient, KafkaConsumer, OffsetSpec, Producer } = RdKafka;
const { ERRORS } = RdKafka.CODES;

const call = (target, method, ...args) =>
  new Promise((resolve, reject) => {
    target[method](...args, (error, result) => (error ? reject(error) : resolve(result)));
  });

const settings = { 'bootstrap.servers': server };
const admin = AdminClient.create(settings);
const asker = new Producer(settings);
await call(asker, 'connect', {});

async function create(name, partitions = 1, config = {}) {
  const topic = topicName(name);
  const wanted = { topic, num_partitions: partitions, replication_factor: 1, config };
  await call(admin, 'createTopic', wanted, 10_000);
  await eventually(() => led(topic, partitions));
  return topic;
}

const metadataOf = async (topic) => {
  const found = await call(asker, 'getMetadata', { topic, timeout: 10_000 });
  return { brokers: found.brokers, topic: found.topics.find(({ name }) => name === topic) };
};

async function led(topic, partitions) {
  const found = await metadataOf(topic);
  const leaders = found.topic.partitions.map(({ leader }) => leader >= 0);
  equal(leaders, Array(partitions).fill(true), 'which partitions are led');
}

async function offsetAt(topic, offset, partition = 0) {
  const [found] = await call(admin, 'listOffsets', [{ topic, partition, offset }], {});
  if (found.error?.code) throw found.error;
  return found;
}

async function fails(code, body) {
  try {
    await body();
  } catch (error) {
    equal(error.code, code, `the error "${error.message}"`);
    return;
  }
  throw new Error(`nothing failed, expected ${code}`);
}

/**
 * A producer, and what was reported of each record, in the order in which they were sent. The reports
 * themselves come in any order: a flush takes them out of the queue on a thread of its own, beside the polls.
 */
async function withProducer(more, work) {
  const producer = new Producer({ ...settings, 'linger.ms': 5, dr_cb: true, ...more });
  const reports = [];
  let produced = 0;
  let reported = 0;
  producer.on('delivery-report', (error, report) => {
    reports[report.opaque] = error ?? report.offset;
    reported++;
  });
  await call(producer, 'connect', {});
  producer.setPollInterval(10);
  const put = async (topic, partition, { key, value, headers, timestamp }) => {
    const list = headers.map(([name, each]) => ({ [name]: each }));
    for (;;) {
      try {
        producer.produce(topic, partition, value, key, timestamp, produced, list);
        produced++;
        return;
      } catch (error) {
        if (error.code !== ERRORS.ERR__QUEUE_FULL) throw error;
        await sleep(10);
      }
    }
  };
  try {
    await work(put, () => reported);
    await call(producer, 'flush', 40_000);
    // A flush does not wait until the last reports have come through the event loop.
    for (let i = 0; i < 1_500 && reported < produced; i++) {
      producer.poll();
      await sleep(10);
    }
    equal(reported, produced, 'the number of reports');
    return reports;
  } finally {
    await call(producer, 'disconnect', 5_000);
  }
}

async function send(topic, records, { partition = 0, ...more } = {}) {
  const reports = await withProducer(more, async (put) => {
    for (const each of records) await put(topic, partition, each);
  });
  const errors = reports.filter((each) => typeof each !== 'number');
  equal(errors, [], 'the errors');
  if (more.acks !== 0) equal(reports, [...records.keys()], 'the offsets');
}

async function withConsumer(topic, partition, offset, more, work) {
  const consumer = new KafkaConsumer(
    { ...settings, 'group.id': 'unused', 'enable.auto.commit': false, ...more },
    { 'auto.offset.reset': 'error' },
  );
  await call(consumer, 'connect', {});
  try {
    consumer.setDefaultConsumeTimeout(200);
    consumer.assign([{ topic, partition, offset }]);
    return await work(consumer);
  } finally {
    await call(consumer, 'disconnect');
  }
}

async function take(consumer, count, limitMs) {
  const found = [];
  for (const end = Date.now() + limitMs; found.length < count && Date.now() < end; ) {
    for (const each of await call(consumer, 'consume', count - found.length)) {
      const headers = (each.headers ?? []).flatMap((one) => Object.entries(one));
      found.push({ ...each, headers: headers.map(([name, value]) => [name, value]) });
    }
  }
  return found;
}

const read = (topic, offset, count, partition = 0, more = {}) =>
  withConsumer(topic, partition, offset, { 'fetch.wait.max.ms': 100, ...more }, (consumer) =>
    take(consumer, count, 20_000),
  );

async function roundTrip(name, records, more) {
  const topic = await create(name);
  await send(topic, records, more);
  expect(records, await read(topic, 0, records.length));
}

async function metadata() {
  const topic = await create('metadata', 3);
  const found = await metadataOf(topic);
  const [broker] = found.brokers;
  equal(`${broker.host}:${broker.port}`, server, 'the address');
  const wanted = [0, 1, 2].map((id) => ({
    ...{ id, leader: broker.id, replicas: [broker.id], isrs: [broker.id] },
  }));
  equal(found.topic.partitions, wanted, 'the partitions');
  holds((await call(admin, 'listTopics', {})).includes(topic), 'the topic is listed');
}

async function seekByTime() {
  const topic = await create('by-time');
  const records = Array.from({ length: 20 }, (_, i) => record(`at ${i}`, { afterMs: i * 1_000 }));
  await send(topic, records);
  await withConsumer(topic, 0, 0, {}, async (consumer) => {
    const at = async (afterMs) => {
      const wanted = [{ topic, partition: 0, offset: BASE_TIME + afterMs }];
      const [{ offset }] = await call(consumer, 'offsetsForTimes', wanted, 10_000);
      return offset;
    };
    equal(await at(7_500), 8, 'the offset');
    equal(await at(60_000), -1, 'the offset of a time after the end');
  });
  expect(records.slice(8), await read(topic, 8, 12), 8);
}

async function ends() {
  const topic = await create('ends');
  const of = async () => {
    const { lowOffset, highOffset } = await call(asker, 'queryWatermarkOffsets', topic, 0, 10_000);
    return [lowOffset, highOffset];
  };
  equal(await of(), [0, 0], 'the ends at first');
  await send(topic, sample(10));
  equal(await of(), [0, 10], 'the ends');
}

async function largestTimestamp() {
  const topic = await create('largest');
  const records = Array.from({ length: 10 }, (_, i) => record('x', { afterMs: i === 4 ? 500 : i }));
  await send(topic, records);
  const { offset, timestamp } = await offsetAt(topic, OffsetSpec.MAX_TIMESTAMP);
  equal([offset, timestamp], [4, BASE_TIME + 500], 'the offset and its time');
}

async function longPoll() {
  const topic = await create('long-poll');
  // It would answer by itself only long after this gives up.
  const more = { 'fetch.wait.max.ms': 25_000, 'fetch.min.bytes': 1 };
  await withConsumer(topic, 0, 0, more, async (consumer) => {
    equal(await take(consumer, 1, 1_000), [], 'what is there at first');
    await send(topic, [record('wake up')]);
    expect([record('wake up')], await take(consumer, 1, 12_000));
  });
}

async function restart() {
  requireRestart();
  const topic = await create('restart');
  const records = [];
  const more = { 'enable.idempotence': true, 'batch.size': 1_000, 'reconnect.backoff.max.ms': 500 };
  const reports = await withProducer(more, async (put, reported) => {
    let restarting;
    for (let after = 0; after < 1_000; ) {
      records.push(record(`record ${records.length}`, { afterMs: records.length }));
      await put(topic, 0, records.at(-1));
      // Some are acknowledged by then, some are under way: the first waits for a producer id.
      if (reported() >= 500) restarting ??= restartServer();
      if (restarting?.isOver) after++;
      if (records.length % 10 === 0) await sleep(4);
    }
  });
  equal(reports, [...records.keys()], 'the offsets');
  expect(records, await read(topic, 0, records.length));
  // The admin client has a connection of its own, and may still be waiting to try it again.
  const end = await eventually(() => offsetAt(topic, OffsetSpec.LATEST));
  equal(end.offset, records.length, 'the end');
}

async function createPartitions() {
  const topic = await create('grows');
  await call(admin, 'createPartitions', topic, 4, 10_000);
  await eventually(() => led(topic, 4));
  await fails(ERRORS.ERR_INVALID_PARTITIONS, () =>
    call(admin, 'createPartitions', topic, 2, 10_000),
  );
  await send(topic, sample(3), { partition: 3 });
  expect(sample(3), await read(topic, 0, 3, 3));
}

async function deleteTopic() {
  const topic = await create('goes');
  await send(topic, sample(5));
  await call(admin, 'deleteTopic', topic, 10_000);
  await eventually(async () => {
    const topics = await call(admin, 'listTopics', {});
    holds(!topics.includes(topic), 'the topic is gone');
  });
  await eventually(() => create('goes'));
  equal((await offsetAt(topic, OffsetSpec.LATEST)).offset, 0, 'the end of the new topic');
}

async function deleteRecords() {
  const topic = await create('shrinks');
  await send(topic, sample(20));
  const before = (offset) => call(admin, 'deleteRecords', [{ topic, partition: 0, offset }], {});
  equal((await before(12))[0].lowWatermark, 12, 'the low watermark');
  equal((await offsetAt(topic, OffsetSpec.EARLIEST)).offset, 12, 'the beginning');
  expect(sample(20).slice(12), await read(topic, 12, 8), 12);
  const [{ error }] = await before(99);
  equal(error?.code, ERRORS.ERR_OFFSET_OUT_OF_RANGE, 'the error');
}

const settingsAt = ({ server: address, ca, cert, key }) => ({
  'bootstrap.servers': address,
  ...(ca ? { 'security.protocol': 'ssl', 'ssl.ca.location': ca } : {}),
  ...(cert ? { 'ssl.certificate.location': cert, 'ssl.key.location': key } : {}),
});

async function told(place) {
  const producer = new Producer(settingsAt(place));
  const errors = [];
  // Its errors have no words of their own, what it logs has.
  producer.on('event.log', ({ message }) => errors.push(message));
  // It hears of anything only when it is asked to look.
  const looking = setInterval(() => producer.isConnected() && producer.poll(), 100);
  try {
    await call(producer, 'connect', { timeout: 8_000 });
    const { brokers } = await call(producer, 'getMetadata', { timeout: 8_000 });
    producer.disconnect();
    return brokers.map((each) => `${each.host}:${each.port}`);
  } catch (error) {
    // What it could not do, and why.
    throw new Error(`${error.message}: ${errors.join('; ')}`);
  } finally {
    clearInterval(looking);
  }
}

async function roundTripAt(place, topic) {
  const more = settingsAt(place);
  await send(topic, sample(40), more);
  expect(sample(40), await read(topic, 0, 40, 0, more));
}

const everyByte = Uint8Array.from({ length: 256 }, (_, i) => i);
const headers = [
  ...[
    ['name', 'first'],
    ['name', 'second'],
    ['größe', everyByte],
  ],
  ['empty', ''],
];

await feature('metadata', metadata);
for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd']) {
  await feature(`produce and fetch, ${codec}`, () =>
    roundTrip(`codec-${codec}`, sample(40), { 'compression.type': codec }),
  );
}
await feature('headers', () =>
  roundTrip('headers', [record('v', { key: 'k', headers }), record('without')]),
);
// The binding makes null of what is empty.
await feature('null keys', () =>
  roundTrip('null-keys', [record('v'), record('v', { key: 'key' })]),
);
await feature('null values', () =>
  roundTrip('null-values', [record(null, { key: 'a' }), record('v', { key: 'b' })]),
);
await feature('a record of 900 KB', () => roundTrip('large', [record(incompressible(900_000))]));
await feature('10,000 records in order, pipelined, idempotent', () =>
  roundTrip('many', numbered(10_000), { 'enable.idempotence': true, 'batch.size': 4_096 }),
);
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
await feature('create a topic with settings', async () => {
  const topic = await create('created', 3, { 'retention.ms': '86400000' });
  equal((await metadataOf(topic)).topic.partitions.length, 3, 'the number of partitions');
});
await feature('create a topic that exists', async () => {
  await create('exists');
  await fails(ERRORS.ERR_TOPIC_ALREADY_EXISTS, () => create('exists'));
});
await feature('create a topic with an invalid name', () => {
  const wanted = { topic: 'not a name!', num_partitions: 1, replication_factor: 1 };
  return fails(ERRORS.ERR_TOPIC_EXCEPTION, () => call(admin, 'createTopic', wanted, 10_000));
});
await feature('create partitions', createPartitions);
await feature('delete a topic', deleteTopic);
await feature('unknown topic', () =>
  fails(ERRORS.ERR_UNKNOWN_TOPIC_OR_PART, () =>
    call(admin, 'deleteTopic', topicName('unknown'), 10_000),
  ),
);
await feature('unknown config', () =>
  fails(ERRORS.ERR_INVALID_CONFIG, () => create('bad-config', 1, { 'no.such.config': '1' })),
);
await feature('delete records', deleteRecords);
for (const name of [
  ...['describe configs', 'alter configs, incremental', 'alter configs, full'],
  ...['describe the cluster', 'describe log dirs', 'describe producers'],
]) {
  await feature(name, () => unsupported('the binding has no call for it'));
}
await listenerFeatures({ told, roundTrip: roundTripAt });
process.exit(0);
