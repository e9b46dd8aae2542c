import { connect as connectSocket } from 'node:net';
import { type Admin, connect } from '../../src/client/main.ts';
import { ByteReader, CorruptError } from '../../src/codec/reader.ts';
import { servedApis } from '../../src/kafka/api-table.ts';
import { readClientId, readRequestHeader } from '../../src/kafka/request-header.ts';
import { includes } from '../../src/kafka/versions.ts';
import { SimulatedRandom } from '../simulation/env/simulated-random.ts';
import { Bystander } from '../support/bystander.ts';
import { KafkaBystander } from '../support/kafka-bystander.ts';
import { framed } from '../support/kafka-requests.ts';
import { BrokerProcess, metric, metricsOf, TemporaryFolder } from '../support/processes.ts';
import { kafkaCorpus } from './kafka-corpus.ts';
import { mutate } from './mutate.ts';
import { FUZZED_TOPIC } from './recording.ts';
import type { FuzzPlan } from './run-targets.ts';

const MIB = 1024 * 1024;
/** So many connections attack at a time, each with so many frames at once. */
const CONNECTIONS = 16;
const FRAMES = 8;
/** How long answers are waited for: a mutated size or wait may keep one back for as long as it likes. */
const PATIENCE_MS = 100;
/** Of the frames so many get a mutated size, and with that an end that nobody knows. */
const WRONG_SIZES = 0.02;
/** Of the frames so many are drawn again, a few times, until a decoder takes them: these get beyond it. */
const TAKEN = 0.8;
const DRAWS = 10;
const ROUND_FRAMES = 20_000;
/** Memory is looked at so often. */
const TENTHS = 10;
const OTHERS_TOPICS: readonly [string, string] = ['bystander', 'kafka-bystander'];
const DELETE_TOPICS = 20;
const MAX_GROWTH_BYTES = 192 * MIB;
/** Names of reasons for which connections end; more of them would be memory that mutated frames take. */
const MAX_REASONS = 12;
/** A version question without anything to mutate: it comes behind the frames, to tell that they are done. */
const LAST_ID = 0x7ead_beef;
const LAST = framed(Buffer.from(`00120000${LAST_ID.toString(16)}ffff`, 'hex'));

export interface KafkaLiveTotals {
  /** Mutated frames that the broker has looked at: answered, or the end of their connection. */
  readonly frames: number;
  readonly sent: number;
  readonly connections: number;
  readonly seconds: number;
  /** By reason, of the connections that the broker has ended. */
  readonly ended: Readonly<Record<string, number>>;
  /** Records that others produced and read back meanwhile, by gRPC and by Kafka's protocol. */
  readonly bystanderRecords: readonly [grpc: number, kafka: number];
  readonly grownBytes: number;
  /** Resident memory of the broker after each tenth of the frames. */
  readonly residentBytes: readonly number[];
  /** Records of mutated requests that the broker has taken: some get through, or nothing was tried. */
  readonly appended: number;
  readonly violations: readonly string[];
}

/** Sends mutated requests to the Kafka door of a broker in a process of its own, over sockets. */
export async function fuzzKafkaLive(plan: FuzzPlan): Promise<KafkaLiveTotals> {
  using folder = new TemporaryFolder();
  const settings = ['max.partitions.per.topic=4', 'log.tail.cache.bytes=1MiB'];
  await using broker = new BrokerProcess(
    `${folder.path}/data`,
    ...[...settings, 'queued.max.request.bytes=32MiB'].flatMap((setting) => ['--set', setting]),
  );
  broker.kafkaAddress = '127.0.0.1:0';
  await broker.start();
  return await besideBystanders(broker, plan);
}

async function besideBystanders(broker: BrokerProcess, plan: FuzzPlan): Promise<KafkaLiveTotals> {
  await using client = await connect({ brokers: [broker.address] });
  const admin = client.admin();
  await admin.createTopic({ name: OTHERS_TOPICS[1], partitionCount: 1 });
  const bystander = await Bystander.start(broker.address, OTHERS_TOPICS[0]);
  const kafkaBystander = new KafkaBystander(broker.kafkaAddress, OTHERS_TOPICS[1]);
  const attack = new KafkaAttack(broker.kafkaAddress, new SimulatedRandom(plan.seed));
  const residentBytes = (): Promise<number> => metric(broker, 'process_resident_memory_bytes');
  const startedMs = performance.now();
  let appended = await attackInRounds(attack, admin, Math.min(plan.inputs / 10, ROUND_FRAMES));
  await bystander.progress();
  await kafkaBystander.progress();
  const before = await residentBytes();
  const resident: number[] = [];
  for (let tenth = 0; tenth < TENTHS; tenth++) {
    appended += await attackInRounds(attack, admin, plan.inputs / TENTHS);
    resident.push(await residentBytes());
  }
  const seconds = (performance.now() - startedMs) / 1000;
  await bystander.progress();
  await kafkaBystander.progress();
  const grownBytes = (await residentBytes()) - before;
  const violations = [
    ...attack.violations,
    ...(await bystander.stop()),
    ...(await kafkaBystander.stop()),
  ];
  const ended = await endedConnections(broker);
  violations.push(...amiss(broker, attack, ended, grownBytes));
  const { frames, sent, connections } = attack;
  const bystanderRecords = [bystander.consumed, kafkaBystander.records] as const;
  const memory = { grownBytes, residentBytes: resident };
  const counts = { frames, sent, connections, seconds, appended, ...memory };
  return { ...counts, ended, bystanderRecords, violations };
}

/** Mutated requests make topics and delete them: each round begins with the one that they are for. */
async function attackInRounds(attack: KafkaAttack, admin: Admin, frames: number): Promise<number> {
  let appended = 0;
  for (let left = frames; left > 0 && attack.violations.length === 0; left -= ROUND_FRAMES) {
    await admin.createTopic({ name: FUZZED_TOPIC, partitionCount: 2 });
    await attack.run(Math.min(left, ROUND_FRAMES));
    const names = (await admin.listTopics()).map(({ name }) => name);
    const partition = { topic: FUZZED_TOPIC, partition: 0 };
    if (names.includes(FUZZED_TOPIC)) {
      const [end] = await admin.listOffsets([{ ...partition, at: 'latest' }]);
      appended += end!.offset;
    }
    await admin.deleteTopics(names.filter((name) => !OTHERS_TOPICS.includes(name)));
  }
  return appended;
}

function amiss(
  broker: BrokerProcess,
  attack: KafkaAttack,
  ended: Readonly<Record<string, number>>,
  grownBytes: number,
): string[] {
  const violations: string[] = [];
  const line = broker.log.split('\n').find((each) => each.includes('unexpected error'));
  if (line !== undefined) violations.push(`the broker met something unexpected: ${line}`);
  if (grownBytes > MAX_GROWTH_BYTES) violations.push(`memory grew by ${grownBytes} bytes`);
  const reasons = Object.keys(ended).length;
  if (reasons > MAX_REASONS) violations.push(`connections ended for ${reasons} reasons`);
  const told = Object.values(ended).reduce((sum, count) => sum + count, 0);
  if (told < attack.ended) {
    violations.push(`${attack.ended} connections were ended, the metric has ${told}`);
  }
  return violations;
}

async function endedConnections(broker: BrokerProcess): Promise<Record<string, number>> {
  const pattern = /^varve_peers_refused_total\{limit="([^"]*)"\} (\d+)$/gm;
  const found = (await metricsOf(broker)).matchAll(pattern);
  return Object.fromEntries([...found].map(([, reason, count]) => [reason!, Number(count)]));
}

class KafkaAttack {
  readonly violations: string[] = [];
  frames = 0;
  sent = 0;
  connections = 0;
  /** Connections that the broker has ended. */
  ended = 0;
  readonly #address: string;
  readonly #random: SimulatedRandom;
  readonly #corpus: readonly (readonly Uint8Array[])[];

  constructor(address: string, random: SimulatedRandom) {
    this.#address = address;
    this.#random = random.fork('kafka live');
    this.#corpus = [...kafkaCorpus()].map(([key, frames]) =>
      // Soon there would be nothing to produce to.
      key === DELETE_TOPICS ? frames.filter((frame) => !namesFuzzed(frame)) : frames,
    );
  }

  /** Until the broker has looked at so many more frames. */
  async run(frames: number): Promise<void> {
    const target = this.frames + frames;
    const work = async (): Promise<void> => {
      while (this.frames < target && this.violations.length === 0) await this.#connection();
    };
    await Promise.all(Array.from({ length: CONNECTIONS }, work));
  }

  #frame(): Uint8Array {
    const random = this.#random;
    const corpus = random.pick(this.#corpus);
    let frame = mutate(random, corpus);
    if (!random.chance(TAKEN)) return frame;
    for (let draws = 1; draws < DRAWS && !isTaken(frame); draws++) frame = mutate(random, corpus);
    return frame;
  }

  #connection(): Promise<void> {
    const random = this.#random;
    const frames = Array.from({ length: FRAMES }, () => this.#frame());
    let areSized = true;
    const bytes = frames.map((frame) => {
      const whole = framed(frame);
      if (random.chance(WRONG_SIZES)) {
        areSized = false;
        whole.set(mutate(random, [whole.subarray(0, 4)]).subarray(0, 4));
      }
      return whole;
    });
    // Behind a wrong size frames begin anywhere.
    const ids = areSized ? frames.map((frame) => idOf(frame)) : null;
    this.connections++;
    this.sent += FRAMES;
    const [host, port] = this.#address.split(':') as [string, string];
    return new Promise((resolve) => {
      const socket = connectSocket(Number(port), host);
      const chunks: Buffer[] = [];
      let isOurs = false;
      const leave = (): void => {
        isOurs = true;
        socket.destroy();
      };
      const patience = setTimeout(leave, PATIENCE_MS);
      socket.on('connect', () => socket.write(Buffer.concat([...bytes, LAST])));
      socket.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        if (chunk.length >= 8 && chunk.includes(LAST.subarray(8, 12))) leave();
      });
      socket.on('error', (error: NodeJS.ErrnoException) => {
        if (error.code === 'ECONNREFUSED') this.violations.push('nobody listens any more');
      });
      socket.on('close', () => {
        clearTimeout(patience);
        if (!isOurs) this.ended++;
        this.#look(Buffer.concat(chunks), ids, !isOurs);
        resolve();
      });
    });
  }

  /** Answers have the ids of what was sent, in its order; some requests get none. */
  #look(answers: Buffer, ids: readonly number[] | null, isEnded: boolean): void {
    let next = 0;
    let at = 0;
    for (; at + 8 <= answers.length; at += 4 + answers.readInt32BE(at)) {
      const id = answers.readInt32BE(at + 4);
      if (id === LAST_ID) continue;
      this.frames++;
      if (ids === null) continue;
      const found = ids.indexOf(id, next);
      if (found < 0) {
        this.violations.push(`an answer to ${id} came, ${ids.slice(next)} were asked`);
        return;
      }
      next = found + 1;
    }
    if (isEnded) this.frames++;
  }
}

const namesFuzzed = (frame: Uint8Array): boolean => Buffer.from(frame).includes(FUZZED_TOPIC);

function isTaken(frame: Uint8Array): boolean {
  try {
    const reader = new ByteReader(frame);
    const { apiKey, apiVersion } = readRequestHeader(reader);
    const api = servedApis.find(({ key }) => key === apiKey);
    if (api === undefined || !includes(api.versions, apiVersion)) return false;
    readClientId(reader, includes(api.flexible, apiVersion));
    api.open(frame.subarray(reader.position), apiVersion).decode();
    return true;
  } catch (error) {
    if (error instanceof CorruptError) return false;
    throw error;
  }
}

/** The correlation id; -1 if the frame is too short to have one. */
const idOf = (frame: Uint8Array): number =>
  frame.length < 8 ? -1 : new DataView(frame.buffer, frame.byteOffset).getInt32(4);
