import { expect, test } from 'vitest';
import { Admin } from '../../../src/client/admin.ts';
import type { BrokerChannels } from '../../../src/client/broker-channels.ts';
import { ClusterMetadata } from '../../../src/client/cluster-metadata.ts';
import { LeaderCalls } from '../../../src/client/leader-calls.ts';
import { Errors } from '../../../src/model/errors.ts';
import { toErrorMessage } from '../../../src/rpc/error-message.ts';
import { simulatedEnv } from '../../simulation/env/simulated-env.ts';
import { fakeWorld } from '../../support/fake-broker-client.ts';

/** An admin whose calls are written down and answered with `answer`. */
function setUp(answer: unknown) {
  const calls: { method: string; request: unknown; options: unknown }[] = [];
  const channels = {
    callAny: async (method: { path: string }, request: unknown, options: unknown) => {
      calls.push({ method: method.path.split('/').at(-1)!, request, options });
      return answer;
    },
    channelOf: () => undefined,
  } as unknown as BrokerChannels;
  const { env } = simulatedEnv({ seed: 1 });
  const metadata = new ClusterMetadata({ requestTimeoutMs: 2000, maxAgeMs: 60_000 }, env, channels);
  const leaders = new LeaderCalls(env, channels, metadata);
  return { admin: new Admin(30_000, channels, leaders), calls };
}

const exists = toErrorMessage(Errors.TOPIC_ALREADY_EXISTS);

test('topics are made, listed and told apart by a real call', async () => {
  const { client, run, failure } = await fakeWorld();
  const admin = client.admin();
  const made = await run(admin.createTopic({ name: 'orders', partitionCount: 3 }));
  expect(made).toMatchObject({ name: 'orders', partitionCount: 3 });
  const described = await run(admin.describeTopic('orders'));
  expect(described.partitions).toHaveLength(3);
  const again = await failure(admin.createTopic({ name: 'orders' }));
  expect(again).toMatchObject({ code: 'TOPIC_ALREADY_EXISTS' });
  expect(again.message).toBe('topic orders: a topic of that name exists');
  expect((await run(admin.capabilities())).clusterId).toBe('fake');
  expect((await run(admin.describeCluster())).brokers).toHaveLength(1);
});

test('a list answers item by item and does not throw', async () => {
  const { client, run } = await fakeWorld();
  const admin = client.admin();
  await run(admin.createTopic({ name: 'a' }));
  const outcomes = await run(admin.createTopics([{ name: 'a' }, { name: 'b' }]));
  expect(outcomes.map(({ name, error }) => [name, error?.code])).toEqual([
    ['a', 'TOPIC_ALREADY_EXISTS'],
    ['b', undefined],
  ]);
});

test('settings are sent as texts, and defaults are left to the broker', async () => {
  const { admin, calls } = setUp({ topics: [] });
  const configs = { 'retention.ms': 5, 'compression.type': 'zstd', preallocate: false };
  await admin.createTopics([{ name: 'orders', configs }], { validateOnly: true });
  expect(calls[0]!.request).toEqual({
    topics: [
      {
        name: 'orders',
        partitionCount: 0,
        replicationFactor: 0,
        configs: { 'retention.ms': '5', 'compression.type': 'zstd', preallocate: 'false' },
      },
    ],
    validateOnly: true,
  });
});

test('the time and the signal of a call are passed on', async () => {
  const { admin, calls } = setUp({ topics: [] });
  const { signal } = new AbortController();
  await admin.listTopics();
  await admin.listTopics({ timeoutMs: 5, signal });
  expect(calls.map(({ options }) => options)).toEqual([
    { timeoutMs: 30_000, signal: undefined },
    { timeoutMs: 5, signal },
  ]);
});

test('changes of settings and the place a value comes from', async () => {
  const { admin, calls } = setUp({
    topics: [
      {
        name: 'orders',
        entries: [{ name: 'x', value: '1', source: 'CONFIG_SOURCE_TOPIC', documentation: '' }],
      },
    ],
  });
  const [configs] = await admin.describeConfigs(['orders']);
  expect(configs!.entries[0]!.source).toBe('topic');
  await admin.alterConfigs([{ name: 'orders', set: { x: 2 }, unset: ['y'] }]);
  expect(calls[1]!.request).toEqual({
    topics: [{ name: 'orders', set: { x: '2' }, unset: ['y'] }],
    validateOnly: false,
  });
});

test('offsets are asked for by end or time', async () => {
  const error = toErrorMessage(Errors.UNKNOWN_TOPIC_OR_PARTITION);
  const answer = { topic: 'orders', partition: 0, offset: 7, timestampMs: -1, leaderEpoch: 2 };
  const { admin, calls } = setUp({ partitions: [answer, { ...answer, error }] });
  const place = { topic: 'orders', partition: 0 };
  const outcomes = await admin.listOffsets(
    [
      { ...place, at: 'earliest' },
      { ...place, at: { timestampMs: 9 } },
    ],
    { isolation: 'read_committed' },
  );
  expect(calls[0]!.request).toEqual({
    partitions: [
      { ...place, earliest: true },
      { ...place, timestampMs: 9 },
    ],
    readCommitted: true,
  });
  expect(outcomes.map(({ offset, error: e }) => [offset, e?.message])).toEqual([
    [7, undefined],
    [7, 'orders-0: this cluster has no such topic or partition'],
  ]);
  await expect(admin.listOffsets([{ ...place, at: 'now' as never }])).rejects.toThrow('`at` is');
});

test('methods for one thing throw its error, or give it without one', async () => {
  const failing = setUp({ topics: [{ name: 'orders', error: exists }] });
  await expect(failing.admin.deleteTopic('orders')).rejects.toMatchObject({
    code: 'TOPIC_ALREADY_EXISTS',
  });
  const working = setUp({ topics: [{ name: 'orders' }] });
  expect(await working.admin.deleteTopic('orders')).toBeUndefined();
  expect(await working.admin.createPartitions([{ name: 'orders', totalCount: 9 }])).toEqual([
    { name: 'orders', error: undefined },
  ]);
});

test('deleted records are answered with what is left', async () => {
  const { admin } = setUp({ partitions: [{ topic: 'orders', partition: 0, logStartOffset: 5 }] });
  const [outcome] = await admin.deleteRecords([{ topic: 'orders', partition: 0, beforeOffset: 5 }]);
  expect(outcome).toEqual({ topic: 'orders', partition: 0, logStartOffset: 5, error: undefined });
});

test('the quorum is told with roles, and changed by node', async () => {
  const member = { nodeId: 1, directoryId: 'd', matchIndex: 7, lag: 0, heardOf: true };
  const about = { leaderId: 1, leaderEpoch: 2, commitIndex: 7, appliedIndex: 7 };
  const { admin, calls } = setUp({
    ...about,
    members: [
      { ...member, voter: true },
      { ...member, nodeId: 2, voter: false },
    ],
  });
  expect(await admin.describeQuorum()).toEqual({
    ...about,
    members: [
      { ...member, role: 'voter' },
      { ...member, nodeId: 2, role: 'observer' },
    ],
  });
  await admin.addVoter(2);
  await admin.removeVoter(1);
  await admin.removeVoter(1, { force: true, timeoutMs: 5 });
  await admin.transferLeadership(2);
  expect(calls.slice(1).map(({ method, request }) => [method, request])).toEqual([
    ['AddVoter', { nodeId: 2 }],
    ['RemoveVoter', { nodeId: 1, force: false }],
    ['RemoveVoter', { nodeId: 1, force: true }],
    ['TransferLeadership', { nodeId: 2 }],
  ]);
  expect(calls[3]!.options).toEqual({ timeoutMs: 5, signal: undefined });
  for (const wrong of [-1, 1.5, Number.NaN]) {
    await expect(admin.addVoter(wrong)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  }
});
