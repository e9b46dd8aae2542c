import { expect, test } from 'vitest';
import { varveAtBroker } from '../at-broker.ts';

const { broker, run } = await varveAtBroker();

test('a topic is made as asked', async () => {
  const settings = ['--config', 'retention.ms=1000', '--config', 'durability=replicated'];
  expect(await run(['topic', 'create', 'orders', '--partitions', '3', ...settings])).toEqual({
    code: 0,
    stdout: 'created topic orders (partitions: 3, replication factor: 1)\n',
    stderr: '',
  });
  await using client = await broker.connect();
  const [configs] = await client.admin().describeConfigs(['orders']);
  const set = configs!.entries.filter(({ source }) => source === 'topic');
  expect(set.map(({ name, value }) => `${name}=${value}`)).toEqual([
    'durability=replicated',
    'retention.ms=1000',
  ]);
});

test('with --json the answer is JSON', async () => {
  const { stdout } = await run(['topic', 'create', 'json', '--partitions', '2', '--json']);
  expect(JSON.parse(stdout)).toEqual({
    name: 'json',
    topicId: expect.stringMatching(/^[\w-]{22}$/),
    partitionCount: 2,
    replicationFactor: 1,
  });
});

test('a topic that is there is a conflict', async () => {
  await run(['topic', 'create', 'twice']);
  const { code, stdout, stderr } = await run(['topic', 'create', 'twice']);
  expect({ code, stdout }).toEqual({ code: 6, stdout: '' });
  expect(stderr).toMatch(/^varve: [^\n]*twice[^\n]*exists[^\n]*\n$/);
});

test.each([
  [['a', '--replication-factor', '3'], /replication factor/],
  [['a', '--config', 'retention.mss=1'], /retention\.mss/],
  [['not/allowed'], /not\/allowed/],
])('what the broker refuses ends with 4: %j', async (args, line) => {
  const { code, stdout, stderr } = await run(['topic', 'create', ...args]);
  expect({ code, stdout }).toEqual({ code: 4, stdout: '' });
  expect(stderr).toMatch(line);
});
