// kcat, the command on librdkafka: it produces, reads and asks for metadata and offsets. Its topics
// are made for it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  equal,
  feature,
  holds,
  incompressible,
  pattern,
  requireRestart,
  restartServer,
  server,
  sleep,
  topicName,
  unsupported,
} from '../harness/features.mjs';
import { listenerFeatures } from '../harness/listeners.mjs';

const folder = mkdtempSync(join(tmpdir(), 'varve-kcat-'));
const LIMIT_MS = 40_000;

function start(...args) {
  // The last of two is the one that it takes.
  const child = spawn(process.env.KCAT, ['-b', server, ...args], { timeout: LIMIT_MS });
  const output = { stdout: Buffer.alloc(0), stderr: '' };
  child.stdin.on('error', () => {});
  child.stdout.on('data', (chunk) => {
    output.stdout = Buffer.concat([output.stdout, chunk]);
  });
  child.stderr.on('data', (chunk) => {
    output.stderr += chunk;
  });
  return { child, output, closed: once(child, 'close') };
}

async function run(input, ...args) {
  const { child, output, closed } = start(...args);
  child.stdin.end(input);
  const [code, signal] = await closed;
  equal(code ?? signal, 0, `the end of kcat ${args.join(' ')}: ${output.stderr}`);
  return output.stdout;
}

const partitionOf = (topic) => ['-t', topic, '-p', '0'];
const produce = (topic, input, ...more) => run(input, '-P', ...partitionOf(topic), ...more);

/** What is from an offset to the end, in a format of kcat. */
const read = (topic, offset, format = '%o %s\\n') =>
  run('', '-C', ...partitionOf(topic), '-o', String(offset), '-e', '-q', '-f', format);

const lines = (from, to, line = (i) => `record ${i}`) =>
  Array.from({ length: to - from }, (_, i) => `${line(from + i)}\n`).join('');

const numbered = (from, to) => lines(from, to, (i) => `${i} record ${i}`);

/** Some 40 KB that compress, and differ from line to line. */
const SAMPLE = lines(0, 40, (i) => `${i}: ${'a line that compresses well, '.repeat(i + 10)}`);

async function roundTrip(name, ...more) {
  const topic = topicName(name);
  await produce(topic, SAMPLE, ...more);
  equal(String(await read(topic, 0, '%s\\n')), SAMPLE, 'what was read');
}

const metadataOf = async (topic) => JSON.parse(await run('', '-L', '-J', '-t', topic));

async function metadata() {
  const found = await metadataOf(topicName('metadata'));
  const ids = found.brokers.map(({ id }) => id);
  equal(
    found.brokers.map(({ name }) => name),
    [server],
    'the addresses of the brokers',
  );
  equal(
    found.topics[0].partitions,
    [0, 1, 2].map((partition) => ({
      ...{ partition, leader: ids[0], replicas: [{ id: ids[0] }], isrs: [{ id: ids[0] }] },
    })),
    'the partitions',
  );
}

async function headers() {
  const topic = topicName('headers');
  await produce(topic, 'v\n', '-H', 'name=first', '-H', 'name', '-H', 'größe=ü', '-H', 'empty=');
  await produce(topic, 'without\n');
  const read = await run('', '-C', ...partitionOf(topic), '-o', '0', '-e', '-q', '-J');
  const found = String(read)
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).headers);
  equal(found[0], ['name', 'first', 'name', null, 'größe', 'ü', 'empty', ''], 'the headers');
  equal(found[1], undefined, 'the headers of a record without');
}

const SIZES = '%K %k|%S %s\\n';

async function nullKeys() {
  const topic = topicName('null-keys');
  await produce(topic, 'none\n');
  await produce(topic, '\tempty\nkey\tsome\n', '-K', '\t');
  equal(
    String(await read(topic, 0, SIZES)),
    '-1 |4 none\n0 |5 empty\n3 key|4 some\n',
    'what was read',
  );
}

async function nullValues() {
  const topic = topicName('null-values');
  await produce(topic, 'a\t\n', '-K', '\t', '-Z');
  await produce(topic, 'b\t\n', '-K', '\t');
  equal(String(await read(topic, 0, SIZES)), '1 a|-1 \n1 b|0 \n', 'what was read');
}

/** Files are records, so that these may have any bytes. */
async function large() {
  const topic = topicName('large');
  const values = [incompressible(900_000), pattern(1, 256)];
  const files = values.map((value, i) => {
    const file = join(folder, String(i));
    writeFileSync(file, value);
    return file;
  });
  await run('', '-P', ...partitionOf(topic), ...files);
  equal(await read(topic, 0, '%s'), Buffer.concat(values), 'what was read');
}

async function idempotent() {
  const topic = topicName('many');
  const settings = ['-X', 'enable.idempotence=true', '-X', 'batch.num.messages=100'];
  await produce(topic, lines(0, 10_000), ...settings);
  equal(String(await read(topic, 0)), numbered(0, 10_000), 'what was read');
}

async function offsetAt(topic, time) {
  const told = String(await run('', '-Q', '-t', `${topic}:0:${time}`));
  return Number(/ \[0\] offset (-?\d+)$/m.exec(told)?.[1]);
}

async function seekByTime() {
  const topic = topicName('by-time');
  await produce(topic, lines(0, 10));
  await sleep(20);
  const between = Date.now();
  await sleep(20);
  await produce(topic, lines(10, 20));
  equal(await offsetAt(topic, between), 10, 'the offset');
  equal(await offsetAt(topic, between + 3_600_000), -1, 'the offset of a time after the end');
  equal(String(await read(topic, `s@${between}`)), numbered(10, 20), 'what was read');
}

async function ends() {
  const topic = topicName('ends');
  equal(await offsetAt(topic, -1), 0, 'the end of an empty partition');
  await produce(topic, lines(0, 10));
  equal(await offsetAt(topic, -2), 0, 'the beginning');
  equal(await offsetAt(topic, -1), 10, 'the end');
}

async function longPoll() {
  const topic = topicName('long-poll');
  // It would answer by itself only long after this gives up.
  const settings = ['-X', 'fetch.wait.max.ms=25000', '-X', 'fetch.min.bytes=1'];
  const reader = start('-C', ...partitionOf(topic), '-o', '0', '-q', '-u', ...settings);
  try {
    await sleep(1_500);
    equal(String(reader.output.stdout), '', 'what is there at first');
    await produce(topic, 'wake up\n');
    for (let i = 0; i < 120 && reader.output.stdout.length === 0; i++) await sleep(100);
    equal(String(reader.output.stdout), 'wake up\n', 'what was read');
  } finally {
    reader.child.kill('SIGKILL');
  }
}

async function restart() {
  requireRestart();
  const topic = topicName('restart');
  const settings = [
    'enable.idempotence=true',
    'batch.num.messages=50',
    'reconnect.backoff.max.ms=500',
  ];
  const writer = start(
    '-P',
    '-E',
    ...partitionOf(topic),
    ...settings.flatMap((each) => ['-X', each]),
  );
  let count = 0;
  let restarting;
  for (let after = 0; after < 100; ) {
    writer.child.stdin.write(lines(count, count + 10));
    count += 10;
    if (count === 1_000) {
      // By then these are acknowledged: the first waits for a producer id.
      await sleep(1_500);
      restarting = restartServer();
    }
    if (restarting?.isOver) after++;
    await sleep(4);
  }
  writer.child.stdin.end();
  const [code, signal] = await writer.closed;
  equal(code ?? signal, 0, `the end of kcat: ${writer.output.stderr}`);
  equal(String(await read(topic, 0)), numbered(0, count), 'what was read');
  equal(await offsetAt(topic, -1), count, 'the end');
}

/** A place in its own words. */
const at = ({ server: address, ca, cert, key }) => [
  ...['-b', address],
  ...(ca ? ['-X', 'security.protocol=ssl', '-X', `ssl.ca.location=${ca}`] : []),
  ...(cert ? ['-X', `ssl.certificate.location=${cert}`, '-X', `ssl.key.location=${key}`] : []),
];

async function told(place) {
  const { brokers } = JSON.parse(await run('', ...at(place), '-L', '-J', '-m', '8'));
  return brokers.map(({ name }) => name);
}

async function roundTripAt(place, topic) {
  const where = [...at(place), ...partitionOf(topic)];
  await run(SAMPLE, '-P', ...where);
  const read = await run('', '-C', ...where, '-o', '0', '-e', '-q', '-f', '%s\\n');
  equal(String(read), SAMPLE, 'what was read');
}

await feature('metadata', metadata);
for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd']) {
  await feature(`produce and fetch, ${codec}`, () => roundTrip(`codec-${codec}`, '-z', codec));
}
await feature('headers', headers);
await feature('null keys', nullKeys);
await feature('null values', nullValues);
await feature('a record of 900 KB', large);
await feature('10,000 records in order, pipelined, idempotent', idempotent);
for (const acks of ['0', '1', 'all']) {
  await feature(`acks ${acks}`, () => roundTrip(`acks-${acks}`, '-X', `acks=${acks}`));
}
await feature('seek by time', seekByTime);
await feature('earliest and latest offsets', ends);
await feature('offset of the largest timestamp', () =>
  unsupported('librdkafka 2.0 speaks ListOffsets up to version 2; this came with 7'),
);
await feature('read a partition from an offset', async () => {
  const topic = topicName('from-offset');
  await produce(topic, lines(0, 100));
  equal(String(await read(topic, 37)), numbered(37, 100), 'what was read');
});
await feature('a long poll is woken by a produce', longPoll);
await feature('produce through a broker restart', restart);
await feature('unknown topic', async () => {
  const found = await metadataOf(topicName('unknown'));
  equal(found.topics[0].error, 'Broker: Unknown topic or partition', 'the error');
});
await feature('describe the cluster', async () => {
  const { brokers, controllerid } = await metadataOf(topicName('metadata'));
  equal(brokers, [{ id: controllerid, name: server }], 'the brokers');
  holds(controllerid >= 0, 'there is a controller');
});
for (const name of [
  ...['create a topic with settings', 'create a topic that exists'],
  ...['create a topic with an invalid name', 'create partitions', 'delete a topic'],
  ...['describe configs', 'alter configs, incremental', 'alter configs, full', 'unknown config'],
  ...['delete records', 'describe log dirs', 'describe producers'],
]) {
  await feature(name, () => unsupported('kcat administers nothing'));
}
await listenerFeatures({ told, roundTrip: roundTripAt });
rmSync(folder, { recursive: true, force: true });
process.exit(0);
