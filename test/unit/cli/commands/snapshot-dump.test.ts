import { expect, test } from 'vitest';
import { memoryEnv } from '../../../../src/env/memory-env.ts';
import { newTopic, started } from '../../controller/started-controller.ts';
import { varve } from '../run-varve.ts';

/** A data directory with a snapshot, and entries behind it. */
async function dataDirectory() {
  const env = memoryEnv();
  const { controller, quorum } = await started(1, env);
  await controller.createTopics([newTopic('orders', { configs: { 'retention.ms': '5' } })]);
  await controller.createTopics([newTopic('gone')]);
  await controller.deleteTopics([{ name: 'gone' }]);
  for (let i = 0; i < 6; i++) await controller.allocateProducerIds(10);
  await quorum.close();
  return env;
}

const env = await dataDirectory();

test('a line a record says what the snapshot holds', async () => {
  const { code, stdout, stderr } = await varve(['snapshot', 'dump', '/data'], { env });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const lines = stdout.trimEnd().split('\n');
  expect(lines[0]).toMatch(/^snapshot index: \d+ epoch: 1 voters: 1@the-directory learners: none$/);
  expect(lines[1]).toMatch(/^cluster format: 1 clusterId: the-cluster directoryId: the-directory$/);
  expect(lines.filter((line) => line.startsWith('register-broker'))).toHaveLength(1);
  expect(stdout).toContain('name: orders');
  expect(stdout).toMatch(/topic-config topicId: \S+ key: retention.ms value: 5\n/);
  expect(stdout).toMatch(/partition topicId: \S+ index: 1 replicas: 1 isr: 1 leader: 1 /);
});

test('with --json every line is JSON, with --log the entries follow', async () => {
  const run = async (...args: string[]) => {
    const { stdout } = await varve(['snapshot', 'dump', '/data', '--json', ...args], { env });
    return stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
  };
  const snapshot = await run();
  expect(snapshot[0]).toMatchObject({ type: 'snapshot', voters: ['1@the-directory'] });
  expect(snapshot.map(({ type }) => type)).not.toContain('entry');
  const all = await run('--log');
  expect(all.slice(0, snapshot.length)).toEqual(snapshot);
  const behind = all.slice(snapshot.length);
  expect(behind[0]).toMatchObject({ type: 'entry', kind: 'command', index: snapshot[0].index + 1 });
  expect(behind.at(-1)).toEqual({ type: 'producer-ids', nextProducerId: 60 });
});

test('the folder of the store does as well', async () => {
  const whole = await varve(['snapshot', 'dump', '/data'], { env });
  expect((await varve(['snapshot', 'dump', '/data/metadata'], { env })).stdout).toBe(whole.stdout);
});

test('what holds no metadata is told so, and nothing is made there', async () => {
  const empty = memoryEnv();
  await empty.files.makeDirectory('/empty');
  for (const [path, problem] of [
    ['/empty', '/empty holds no metadata; give the data directory of a node'],
    ['/missing', '/missing: there is no such folder'],
  ] as const) {
    expect(await varve(['snapshot', 'dump', path], { env: empty })).toEqual({
      ...{ code: 1, stdout: '', stderr: `varve: ${problem}\n` },
    });
  }
  expect(await empty.files.list('/empty')).toEqual([]);
  await empty.files.makeDirectory('/empty/metadata');
  const { stderr } = await varve(['snapshot', 'dump', '/empty'], { env: empty });
  expect(stderr).toBe('varve: /empty is not part of a cluster yet\n');
});

test('a node that runs has to be stopped first', async () => {
  const busy = memoryEnv();
  const { quorum } = await started(1, busy);
  const { code, stderr } = await varve(['snapshot', 'dump', '/data'], { env: busy });
  expect({ code, stderr }).toEqual({
    ...{ code: 1, stderr: 'varve: /data is in use by a node; stop it first\n' },
  });
  await quorum.close();
});

test('damage is told, and nothing is shown as if it were sound', async () => {
  const broken = await dataDirectory();
  const store = await broken.stores.open('/data/metadata');
  const entries = store.entries({ from: new Uint8Array(0), to: Uint8Array.of(0xff) });
  for await (const [key, value] of entries) {
    if (key[0] !== 0x73) continue;
    const changed = value.slice();
    changed[changed.length - 1]! ^= 1;
    await store.batch([{ type: 'put', key, value: changed }], { sync: true });
  }
  await store.close();
  const { code, stdout, stderr } = await varve(['snapshot', 'dump', '/data'], { env: broken });
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toContain('/data');
});
