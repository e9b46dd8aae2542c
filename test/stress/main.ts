import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Saturation } from '../../bench/load/saturation.ts';
import { type Client, type Consumer, connect } from '../../src/client/main.ts';
import { BrokerProcess, TemporaryFolder } from '../support/processes.ts';
import { Ledger, Reading, type Verdict } from './ledger.ts';
import { overload } from './overload.ts';

const USAGE = `usage: npm run stress -- [--minutes M] [--partitions N] [--kill-every SECONDS]
       npm run stress -- --overload [--minutes M]`;
const TOPIC = 'stress';
const KEYS = 10_000;
const VALUE_BYTES = 100;
const OUTSTANDING = 16_384;
/** Far more than a reader needs for what is left when the last record is acknowledged. */
const DRAIN_MS = 120_000;

interface StressOptions {
  readonly minutes: number;
  readonly partitions: number;
  readonly killEverySeconds: number;
  readonly overload: boolean;
}

/** Value: number of the key, number of the record, and both again at its end. */
function makeValue(key: number, number: number): Uint8Array {
  const value = new Uint8Array(VALUE_BYTES);
  const view = new DataView(value.buffer);
  for (const at of [0, VALUE_BYTES - 8]) {
    view.setUint32(at, key);
    view.setUint32(at + 4, number);
  }
  return value;
}

/** Sends keyed records at full rate until the time is up and all are acknowledged. */
async function produce(client: Client, ledger: Ledger, seconds: number): Promise<void> {
  await using producer = client.producer({ key: 'string' });
  let sent = 0;
  const send = async (): Promise<void> => {
    // Every key comes round, neighbours land in different partitions.
    const key = (sent++ * 7919) % KEYS;
    const number = ledger.send(key);
    const place = await producer.send({
      topic: TOPIC,
      key: `key-${key}`,
      value: makeValue(key, number),
    });
    ledger.acknowledge(key, number, place);
  };
  await new Saturation(send, OUTSTANDING).runFor(0, seconds);
}

/** Reads until the consumer is closed or has come to its end. */
async function read(consumer: Consumer<'string', 'bytes'>, reading: Reading): Promise<void> {
  for await (const { records } of consumer.batches()) {
    for (const record of records) {
      const value = record.value!;
      const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
      const [key, number] = [view.getUint32(0), view.getUint32(4)];
      const isWhole =
        value.length === VALUE_BYTES &&
        record.key === `key-${key}` &&
        view.getUint32(VALUE_BYTES - 8) === key &&
        view.getUint32(VALUE_BYTES - 4) === number;
      if (!isWhole) throw new Error(`a record is not as it was sent: ${JSON.stringify(record)}`);
      reading.read(key, number, record);
    }
  }
}

/**
 * kill -9 and start again, over and over, so often that half of the time at least there is a service;
 * resolves with the number of kills, and leaves it running.
 */
async function killUntil(
  broker: BrokerProcess,
  everyMs: number,
  isOver: () => boolean,
): Promise<number> {
  let dueMs = performance.now() + everyMs;
  for (let kills = 0; ; kills++) {
    while (!isOver() && performance.now() < dueMs) await sleep(20);
    if (isOver()) return kills;
    dueMs += everyMs;
    await broker.kill();
    await broker.start();
    dueMs = Math.max(dueMs, performance.now() + everyMs / 2);
  }
}

async function stress(options: StressOptions): Promise<boolean> {
  const { minutes, partitions, killEverySeconds } = options;
  using folder = new TemporaryFolder();
  await using broker = new BrokerProcess(`${folder.path}/data`);
  const interrupted = async (): Promise<void> => {
    await broker.kill();
    folder[Symbol.dispose]();
    process.exit(130);
  };
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
  await broker.start();
  await using client = await connect({ brokers: [broker.address] });
  await client.admin().createTopic({ name: TOPIC, partitionCount: partitions });

  const ledger = new Ledger(KEYS);
  const along = new Reading(KEYS);
  const follower = client.consumer({ topics: [TOPIC], from: 'earliest', key: 'string' });
  const following = read(follower, along);
  const startedMs = performance.now();
  let isOver = false;
  const killing = killUntil(broker, killEverySeconds * 1_000, () => isOver);
  // A reader or a broker that fails ends the run; without it all would wait for ever.
  const failed = Promise.all([following, killing]);
  await Promise.race([
    produce(client, ledger, minutes * 60),
    failed.then(() => {
      throw new Error('the reader ended before its time');
    }),
  ]);
  const seconds = (performance.now() - startedMs) / 1_000;
  isOver = true;
  const kills = await killing;

  const lateMs = performance.now() + DRAIN_MS;
  while (along.total < ledger.total && performance.now() < lateMs) await sleep(20);
  await follower.close();
  await following;
  const again = new Reading(KEYS);
  await read(
    client.consumer({ topics: [TOPIC], from: 'earliest', until: 'end', key: 'string' }),
    again,
  );

  console.log(
    `${ledger.total} records acknowledged in ${seconds.toFixed(0)} s (${Math.round(ledger.total / seconds)} a second), ${partitions} partitions, ${KEYS} keys, ${kills} kills`,
  );
  const isRight = [report('read along', along, ledger), report('read again', again, ledger)].every(
    (each) => each,
  );
  // A start that takes long leaves time for fewer.
  const wanted = Math.floor(seconds / killEverySeconds / 4);
  if (kills < wanted) console.log(`void: ${kills} kills, at least ${wanted} were to come`);
  return isRight && kills >= wanted && ledger.total > 0;
}

function report(name: string, reading: Reading, ledger: Ledger): boolean {
  const verdict: Verdict = reading.verdict(ledger);
  const { lost, duplicated, reordered, misplaced } = verdict;
  console.log(
    `${name}: ${reading.total} records, ${lost} lost, ${duplicated} duplicated, ${reordered} reordered${misplaced === 0 ? '' : ', some elsewhere than acknowledged'}`,
  );
  return reading.total === ledger.total && Object.values(verdict).every((count) => count === 0);
}

function parseArguments(args: readonly string[]): StressOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      overload: { type: 'boolean', default: false },
      minutes: { type: 'string' },
      partitions: { type: 'string' },
      'kill-every': { type: 'string' },
    },
  });
  const number = (name: 'minutes' | 'partitions' | 'kill-every', missing: number): number => {
    const value = Number(values[name] ?? missing);
    if (Number.isFinite(value) && value > 0) return value;
    throw new Error(`--${name} is a number above 0, not ${values[name]}`);
  };
  return {
    overload: values.overload,
    minutes: number('minutes', values.overload ? 0.5 : 5),
    partitions: number('partitions', 4),
    killEverySeconds: number('kill-every', 5),
  };
}

let options: StressOptions;
try {
  options = parseArguments(process.argv.slice(2));
} catch (error) {
  console.error(`${(error as Error).message}\n${USAGE}`);
  process.exit(2);
}
const isRight = options.overload ? await overload(options.minutes * 60) : await stress(options);
process.exitCode = isRight ? 0 : 1;
