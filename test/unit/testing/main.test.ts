import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type LogFields, silentLogger } from '../../../src/telemetry/logger.ts';
import { startBroker, type TestBroker } from '../../../src/testing/main.ts';

/** Sends a value to topic `t`, made if it is not there, and gives its offset. */
async function send(broker: TestBroker, value: string): Promise<number> {
  const client = await broker.connect();
  try {
    const names = (await client.admin().listTopics()).map(({ name }) => name);
    if (!names.includes('t')) await client.admin().createTopics([{ name: 't' }]);
    const producer = client.producer();
    const { offset } = await producer.send({ topic: 't', value: new TextEncoder().encode(value) });
    return Number(offset);
  } finally {
    await client.close();
  }
}

test('a broker in memory serves the client, and forgets everything when it is closed', async () => {
  const first = await startBroker();
  expect(first.address).toMatch(/^127\.0\.0\.1:[1-9]\d*$/);
  expect(await send(first, 'one')).toBe(0);
  expect(await send(first, 'two')).toBe(1);
  await first.close();
  await using second = await startBroker();
  expect(await send(second, 'three')).toBe(0);
});

test('a broker on a folder finds what it had', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'varve-testing-'));
  try {
    const first = await startBroker({ dataDir });
    await send(first, 'one');
    await expect(startBroker({ dataDir })).rejects.toThrow(/is in use by another broker/);
    await first.close();
    const second = await startBroker({ dataDir });
    expect(await send(second, 'two')).toBe(1);
    await second.close();
  } finally {
    await rm(dataDir, { recursive: true });
  }
});

test('brokers beside each other do not meet', async () => {
  await using one = await startBroker();
  await using two = await startBroker();
  expect(one.address).not.toBe(two.address);
  await send(one, 'one');
  expect(await send(two, 'two')).toBe(0);
});

test('it can be given an address, settings and a logger', async () => {
  const lines: [LogFields, string][] = [];
  const logger = { ...silentLogger, info: (...line: [LogFields, string]) => void lines.push(line) };
  await using broker = await startBroker({
    grpc: 'localhost:0',
    settings: { 'num.partitions': '4' },
    logger,
  });
  expect(broker.address).toMatch(/^localhost:/);
  const client = await broker.connect();
  await client.admin().createTopics([{ name: 't' }]);
  const topics = await client.admin().listTopics();
  expect(topics).toMatchObject([{ name: 't', partitionCount: 4 }]);
  await client.close();
  expect(lines.map(([, message]) => message)).toContain('broker registered');
});

test('a setting that is unknown is refused', async () => {
  await expect(startBroker({ settings: { 'num.partition': '4' } })).rejects.toThrow(
    /num\.partitions/,
  );
});

test('a second close does nothing', async () => {
  const broker = await startBroker();
  await Promise.all([broker.close(), broker.close()]);
  await broker.close();
});
