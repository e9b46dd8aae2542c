import { cpSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { type LogFields, type Logger, silentLogger } from '../../src/telemetry/logger.ts';
import { startBroker, type TestBroker } from '../../src/testing/main.ts';
import { TemporaryFolder } from '../support/processes.ts';
import { type DirectoryContent, readContent } from './directory-content.ts';
import { LOG, type Message, nextMessage, Stranger } from './stranger.ts';

/** Data directories that older versions left behind; see `test/fixtures/make-data-directory.ts`. */
const fixture = fileURLToPath(new URL('../fixtures/data-directory-v1', import.meta.url));
const contents = JSON.parse(readFileSync(`${fixture}/fixture.json`, 'utf8')) as {
  readonly [end in 'clean' | 'killed']: DirectoryContent;
};

/** The messages that a broker logs. */
class Messages {
  readonly all: string[] = [];
  readonly logger: Logger = {
    ...silentLogger,
    info: (_: LogFields, message: string) => this.all.push(message),
    warn: (_: LogFields, message: string) => this.all.push(message),
    error: (_: LogFields, message: string) => this.all.push(message),
    child: () => this.logger,
  };
}

async function open(folder: TemporaryFolder, logger: Logger): Promise<TestBroker> {
  return await startBroker({
    dataDir: `${folder.path}/data`,
    logger,
    // The fixture was written long ago.
    settings: { 'producer.id.expiration.ms': '1000000d' },
  });
}

async function expectContent(
  broker: TestBroker,
  { clusterId, topics }: DirectoryContent,
): Promise<void> {
  await using client = await broker.connect();
  const found = await readContent(client);
  expect(found.clusterId).toBe(clusterId);
  expect(found.topics.map(({ name }) => name)).toEqual(topics.map(({ name }) => name));
  // One by one, so that a difference can be read.
  for (const [at, topic] of topics.entries()) expect(found.topics[at]).toEqual(topic);
}

/** Sends batches to `repeatable-0`; returns what became of each. */
async function sendBatches(broker: TestBroker, batches: readonly Uint8Array[]): Promise<Message[]> {
  using stranger = new Stranger(broker.address);
  const stream = stranger.stream(`${LOG}/Produce`);
  await nextMessage(stream);
  const outcomes: Message[] = [];
  for (const records of batches) {
    const partitions = [{ topic: 'repeatable', records }];
    stream.write({ correlation_id: outcomes.length + 1, partitions });
    outcomes.push(...(await nextMessage(stream)).partitions);
  }
  stream.end();
  return outcomes;
}

for (const end of ['clean', 'killed'] as const) {
  test(`a data directory of format 1 that was ${end} opens with all that was in it`, async () => {
    using folder = new TemporaryFolder();
    cpSync(`${fixture}/${end}`, `${folder.path}/data`, { recursive: true });
    const content = contents[end];
    const first = new Messages();
    const broker = await open(folder, first.logger);
    expect(first.all.includes('recovering a log')).toBe(end === 'killed');
    expect(first.all.some((message) => message.startsWith('cut a torn tail'))).toBe(
      end === 'killed',
    );
    await expectContent(broker, content);

    const batches = content.repeatableBatches!.map((batch) => Buffer.from(batch, 'base64'));
    expect(await sendBatches(broker, batches)).toMatchObject(
      batches.map((_, at) => ({ error: null, base_offset: at })),
    );
    await expectContent(broker, content);
    await broker.close();

    // And once more, as this version leaves it.
    const second = new Messages();
    await using again = await open(folder, second.logger);
    expect(second.all).not.toContain('recovering a log');
    await expectContent(again, content);
    await using client = await again.connect();
    await using producer = client.producer({ value: 'string' });
    const { offset } = await producer.send({ topic: 'rolled', value: 'more' });
    expect(offset).toBe(6);
  });
}

test('the fixture has what it is for', () => {
  for (const { topics, repeatableBatches } of [contents.clean, contents.killed]) {
    expect(topics.map(({ name }) => name)).toEqual(
      ['empty', 'gzip', 'lz4', 'records', 'repeatable', 'rolled', 'snappy', 'zstd'].sort(),
    );
    const rolled = topics.find(({ name }) => name === 'rolled')!;
    expect(rolled.partitions).toMatchObject([{ startOffset: 2, endOffset: 6 }]);
    expect(rolled.configs).toMatchObject({ durability: 'replicated' });
    expect(repeatableBatches).toHaveLength(5);
  }
});
