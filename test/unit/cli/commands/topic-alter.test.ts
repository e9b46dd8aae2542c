import { expect, test } from 'vitest';
import { varveAtBroker } from '../at-broker.ts';

const { broker, run } = await varveAtBroker();

async function stateOf(name: string): Promise<{ partitions: number; configs: string[] }> {
  await using client = await broker.connect();
  const { partitions } = await client.admin().describeTopic(name);
  const [configs] = await client.admin().describeConfigs([name]);
  const set = configs!.entries.filter(({ source }) => source === 'topic');
  return {
    partitions: partitions.length,
    configs: set.map((entry) => `${entry.name}=${entry.value}`),
  };
}

test('partitions are added, settings set and put back', async () => {
  await run(['topic', 'create', 't', '--partitions', '1', '--config', 'retention.ms=1000']);
  const changes = ['--partitions', '3', '--config', 'segment.bytes=1048576'];
  const first = await run(['topic', 'alter', 't', ...changes, '--unset', 'retention.ms']);
  expect(first).toEqual({ code: 0, stdout: 'altered topic t\n', stderr: '' });
  expect(await stateOf('t')).toEqual({ partitions: 3, configs: ['segment.bytes=1048576'] });
  const second = await run(['topic', 'alter', 't', '--partitions', '4', '--json']);
  expect(second).toEqual({ code: 0, stdout: '{"name":"t"}\n', stderr: '' });
  expect((await stateOf('t')).partitions).toBe(4);
});

test.each([
  [['--partitions', '1', '--config', 'retention.ms=1000']],
  [['--partitions', '3', '--config', 'retention.mss=1000']],
  [['--partitions', '3', '--config', 'retention.ms=soon']],
])('when a part is refused nothing is changed: %j', async (args) => {
  await run(['topic', 'create', 'whole', '--partitions', '2']);
  const { code, stdout } = await run(['topic', 'alter', 'whole', ...args]);
  expect({ code, stdout }).toEqual({ code: 4, stdout: '' });
  expect(await stateOf('whole')).toEqual({ partitions: 2, configs: [] });
});

test('nothing to change is wrong usage', async () => {
  const { code, stderr } = await run(['topic', 'alter', 't']);
  expect(code).toBe(2);
  expect(stderr).toContain('nothing to change');
});

test('a topic that is missing is not found', async () => {
  expect(await run(['topic', 'alter', 'no', '--partitions', '3'])).toMatchObject({ code: 3 });
  expect(await run(['topic', 'alter', 'no', '--unset', 'retention.ms'])).toMatchObject({ code: 3 });
});
