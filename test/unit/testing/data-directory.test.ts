import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startBroker, type TestBroker } from '../../../src/testing/main.ts';

/** What a real folder meets that the simulated one does not. */
async function withFolder(use: (dataDir: string) => Promise<void>): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'varve-testing-'));
  try {
    await use(dataDir);
  } finally {
    await rm(dataDir, { recursive: true });
  }
}

async function createAndSend(broker: TestBroker, topic: string): Promise<void> {
  await using client = await broker.connect();
  await client.admin().createTopic({ name: topic, partitionCount: 1 });
  await using producer = client.producer({ value: 'string' });
  await producer.send({ topic, value: 'x' });
}

test('a topic with the longest name there can be is deleted, and the broker lives on', () =>
  withFolder(async (dataDir) => {
    const topic = 'a'.repeat(249);
    const first = await startBroker({ dataDir });
    await createAndSend(first, topic);
    await using client = await first.connect();
    await client.admin().deleteTopic(topic);
    await createAndSend(first, topic);
    await first.close();
    const second = await startBroker({ dataDir });
    await second.close();
    expect((await readdir(dataDir)).filter((name) => name.startsWith('a'))).toEqual([`${topic}-0`]);
  }));

test('logs whose metadata is gone are not taken for a new cluster', () =>
  withFolder(async (dataDir) => {
    const broker = await startBroker({ dataDir });
    await createAndSend(broker, 't');
    await broker.close();
    await rm(join(dataDir, 'metadata'), { recursive: true });
    await rm(join(dataDir, 'hard-state'));
    await expect(startBroker({ dataDir })).rejects.toThrow(
      /its metadata is gone; restore metadata/,
    );
    expect(await readdir(dataDir)).toContain('t-0');
  }));

test('metadata that is older than the logs is refused', () =>
  withFolder(async (dataDir) => {
    const parts = ['metadata', 'hard-state'];
    const first = await startBroker({ dataDir });
    await createAndSend(first, 't');
    await first.close();
    for (const part of parts) {
      await cp(join(dataDir, part), join(dataDir, `${part}.copy`), { recursive: true });
    }
    // Each start leads in a new epoch, and these append under it.
    for (let start = 0; start < 2; start++) {
      const broker = await startBroker({ dataDir });
      await using client = await broker.connect();
      await client.producer({ value: 'string' }).send({ topic: 't', value: 'y' });
      await client.close();
      await broker.close();
    }
    for (const part of parts) {
      await rm(join(dataDir, part), { recursive: true });
      await cp(join(dataDir, `${part}.copy`), join(dataDir, part), { recursive: true });
    }
    await expect(startBroker({ dataDir })).rejects.toThrow(
      /the metadata is older than the log of t-0: that has leader epoch 2, the metadata knows 0/,
    );
  }));
