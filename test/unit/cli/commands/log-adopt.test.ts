import { cpSync } from 'node:fs';
import { expect, test } from 'vitest';
import { nodeEnv } from '../../../../src/env/node-env.ts';
import { startBroker } from '../../../../src/testing/main.ts';
import { TemporaryFolder } from '../../../support/processes.ts';
import { varve } from '../run-varve.ts';

const adopt = (dataDir: string, ...options: readonly string[]) =>
  varve(['log', 'adopt', dataDir, ...options], { env: nodeEnv() });

test('each partition that was adopted is told of, and it is a failure if there is none', async () => {
  using folder = new TemporaryFolder();
  const [foreign, own] = [`${folder.path}/foreign`, `${folder.path}/own`];
  for (const dataDir of [foreign, own]) {
    await using broker = await startBroker({ dataDir });
    await using client = await broker.connect();
    await client.admin().createTopic({ name: 't', partitionCount: 2 });
    if (dataDir === own) continue;
    const producer = client.producer({ value: 'string' });
    for (const partition of [0, 0, 1]) await producer.send({ topic: 't', partition, value: 'a' });
  }
  expect(await adopt(own)).toEqual({
    code: 1,
    stdout: '',
    stderr: `varve: ${own}: nothing to adopt; copy the folders of partitions (TOPIC-N) into it first, in the place of those of a topic of that name\n`,
  });
  cpSync(`${foreign}/t-0`, `${own}/t-0`, { recursive: true });
  expect(await adopt(own)).toEqual({
    code: 0,
    stdout: 't-0: 2 records, from offset 0 on\n',
    stderr: '',
  });
  cpSync(`${foreign}/t-1`, `${own}/t-1`, { recursive: true });
  const { stdout } = await adopt(own, '--json');
  expect(JSON.parse(stdout)).toEqual({ partition: 't-1', logStartOffset: 0, logEndOffset: 1 });
});

test('a directory of another node is left alone', async () => {
  using folder = new TemporaryFolder();
  const dataDir = `${folder.path}/data`;
  await (await startBroker({ dataDir })).close();
  const { code, stderr } = await adopt(dataDir, '--node-id', '2');
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: expect.stringMatching(/^varve: .*belongs to node 1, not 2/),
  });
});
