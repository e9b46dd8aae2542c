import { expect, test } from 'vitest';
import { varveAtBroker } from '../at-broker.ts';

const { run } = await varveAtBroker();
await run(['topic', 'create', 'plain', '--partitions', '2']);
await run(['topic', 'create', 'set', '--partitions', '1', '--config', 'retention.ms=5000']);

test('partitions are shown, and settings that somebody has set', async () => {
  const { code, stdout, stderr } = await run(['topic', 'describe', 'plain', 'set']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const ids = /\([\w-]{22}\)/g;
  expect(stdout.replaceAll(ids, '(ID)')).toBe(
    [
      'plain (ID)',
      'PARTITION  LEADER  EPOCH  REPLICAS  IN-SYNC',
      '        0  1           0  1         1',
      '        1  1           0  1         1',
      '',
      'set (ID)',
      'PARTITION  LEADER  EPOCH  REPLICAS  IN-SYNC',
      '        0  1           0  1         1',
      'SETTING       VALUE  SOURCE',
      'retention.ms  5000   topic',
      '',
    ].join('\n'),
  );
});

test('JSON has all settings', async () => {
  const { stdout } = await run(['topic', 'describe', 'set', '--json']);
  const [topic] = JSON.parse(stdout);
  expect(topic).toMatchObject({
    name: 'set',
    internal: false,
    partitions: [{ partition: 0, leaderId: 1, leaderEpoch: 0, replicaIds: [1], isrIds: [1] }],
  });
  expect(topic.configs).toContainEqual({ name: 'retention.ms', value: '5000', source: 'topic' });
  expect(topic.configs).toContainEqual(
    expect.objectContaining({ name: 'durability', source: 'default' }),
  );
});

test('a topic that is missing fails, after the others are shown', async () => {
  const { code, stdout, stderr } = await run(['topic', 'describe', 'no', 'plain', 'nor', '--json']);
  expect(code).toBe(3);
  expect(JSON.parse(stdout)).toMatchObject([{ name: 'plain' }]);
  const lines = stderr.trimEnd().split('\n');
  expect(lines).toHaveLength(2);
  expect(lines[0]).toMatch(/^varve: .*"no"/);
  expect(lines[1]).toMatch(/^varve: .*"nor"/);
});
