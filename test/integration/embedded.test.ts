import { createHook } from 'node:async_hooks';
import { existsSync, readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { startBroker, type TestBroker } from '../../src/testing/main.ts';
import { TemporaryFolder } from '../support/processes.ts';

const BROKERS = 100;
const MIB = 1024 ** 2;

/** Makes a topic if it is not there, writes a record and reads all. Everything is closed again. */
async function use(broker: TestBroker, value: string): Promise<string[]> {
  await using client = await broker.connect();
  const admin = client.admin();
  if ((await admin.listTopics()).length === 0) {
    await admin.createTopic({ name: 'greetings', partitionCount: 1 });
  }
  await using producer = client.producer({ value: 'string' });
  await producer.send({ topic: 'greetings', value });
  const values: (string | null)[] = [];
  const options = { topics: ['greetings'], from: 'earliest', until: 'end' } as const;
  for await (const record of client.consumer({ ...options, value: 'string' })) {
    values.push(record.value);
  }
  return values.map(String);
}

/** Starts, uses and stops brokers one after another. */
async function startAndStop(brokers: number, dataDir?: string): Promise<void> {
  for (let at = 0; at < brokers; at++) {
    const broker = await startBroker(dataDir === undefined ? {} : { dataDir });
    await use(broker, String(at));
    await broker.close();
  }
}

/** Timers that are set from now on and neither fire nor are cleared, with where that was. */
class OpenTimers implements Disposable {
  readonly #stacks = new Map<number, string>();
  readonly #hook = createHook({
    init: (id, type) => {
      if (type === 'Timeout') this.#stacks.set(id, stackOf(type));
    },
    destroy: (id) => {
      this.#stacks.delete(id);
    },
  }).enable();

  /** Without those of this file, and of the one with which Node keeps the date for headers. */
  get stacks(): string[] {
    return [...this.#stacks.values()].filter((stack) => !/at settle |at utcDate /.test(stack));
  }

  [Symbol.dispose](): void {
    this.#hook.disable();
  }
}

function stackOf(what: string): string {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 50;
  const { stack = what } = new Error(what);
  Error.stackTraceLimit = stackTraceLimit;
  return stack;
}

/** What keeps the process, by kind: sockets, servers, timers, requests. */
const activeResources = (): string[] => process.getActiveResourcesInfo().sort();

/** Open file descriptors, where the system tells them. */
const openFiles = (): number =>
  existsSync('/proc/self/fd') ? readdirSync('/proc/self/fd').length : 0;

/** Bytes that are in use after a collection. */
function heapBytes(): number {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  return process.memoryUsage().heapUsed;
}

/** Ends of sockets arrive in later turns of the event loop. */
async function settle(isSettled: () => boolean): Promise<void> {
  for (let turn = 0; turn < 100 && !isSettled(); turn++) await sleep(20);
}

test(`${BROKERS} brokers in memory leave no handle, timer or memory behind`, async () => {
  // What is made once and stays: loaded modules, compiled protos, the resolver of grpc-js.
  await startAndStop(10);
  await settle(() => false);
  const before = { resources: activeResources(), files: openFiles(), heap: heapBytes() };
  using timers = new OpenTimers();

  await startAndStop(BROKERS);
  await settle(
    () => activeResources().join() === before.resources.join() && openFiles() <= before.files,
  );
  expect(activeResources()).toEqual(before.resources);
  expect(openFiles()).toBeLessThanOrEqual(before.files);
  expect(timers.stacks).toEqual([]);
  expect((heapBytes() - before.heap) / BROKERS).toBeLessThan(0.1 * MIB);
});

test('brokers on one folder follow each other, with all records and no file too many', async () => {
  using folder = new TemporaryFolder();
  const dataDir = `${folder.path}/data`;
  await startAndStop(3, dataDir);
  await settle(() => false);
  const before = { resources: activeResources(), files: openFiles(), names: names(dataDir) };
  using timers = new OpenTimers();

  await startAndStop(17, dataDir);
  await settle(
    () => activeResources().join() === before.resources.join() && openFiles() <= before.files,
  );
  // That a timer was cancelled is told in a later turn.
  await new Promise((resolve) => setImmediate(resolve));
  expect(activeResources()).toEqual(before.resources);
  expect(openFiles()).toBeLessThanOrEqual(before.files);
  expect(timers.stacks).toEqual([]);
  expect(names(dataDir)).toEqual(before.names);

  await using broker = await startBroker({ dataDir });
  expect(await use(broker, 'last')).toEqual([
    ...Array.from({ length: 3 }, (_, at) => String(at)),
    ...Array.from({ length: 17 }, (_, at) => String(at)),
    'last',
  ]);
});

/** The files of a data directory but those of LevelDB, without the offsets in their names. */
function names(dataDir: string): string[] {
  return readdirSync(dataDir, { recursive: true, encoding: 'utf8' })
    .filter((name) => !name.startsWith('metadata'))
    .map((name) => name.replace(/\d{6,}/, 'N'))
    .sort();
}

test('a folder is locked while a broker uses it, and free at once when that has stopped', async () => {
  using folder = new TemporaryFolder();
  const dataDir = `${folder.path}/data`;
  const first = await startBroker({ dataDir });
  await expect(startBroker({ dataDir })).rejects.toThrow(/in use by another broker/);
  expect(await use(first, 'one')).toEqual(['one']);
  await first.close();
  await using second = await startBroker({ dataDir });
  expect(await use(second, 'two')).toEqual(['one', 'two']);
});

test('what waits for a broker that stops is told so, and nothing keeps it from stopping', async () => {
  const broker = await startBroker();
  await using client = await broker.connect();
  await client.admin().createTopic({ name: 'greetings', partitionCount: 1 });
  const stop = new AbortController();
  const reading = (async () => {
    const consumer = client.consumer({ topics: ['greetings'], signal: stop.signal });
    for await (const _ of consumer) throw new Error('there is nothing to read');
  })();
  const ended = expect(reading).rejects.toThrow('enough');
  await broker.close();
  stop.abort(new Error('enough'));
  await ended;
});

test('brokers side by side do not know each other', async () => {
  const brokers = await Promise.all(Array.from({ length: 8 }, () => startBroker()));
  const values = await Promise.all(brokers.map((broker, at) => use(broker, String(at))));
  expect(values).toEqual(brokers.map((_, at) => [String(at)]));
  await Promise.all(brokers.map((broker) => broker.close()));
});
