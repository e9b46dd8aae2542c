import { cpSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { type Client, connect } from '../../src/client/main.ts';
import { ClusterProcesses, until } from '../support/cluster-processes.ts';
import { run } from '../support/processes.ts';

/** Nodes in processes that come into the quorum and go out of it, by commands. */

const opened: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one[Symbol.asyncDispose]();
});

function keep<T extends AsyncDisposable>(one: T): T {
  opened.push(one);
  return one;
}

const clientOf = async (cluster: ClusterProcesses, id: number): Promise<Client> =>
  keep(await connect({ brokers: [cluster.node(id).address], requestTimeoutMs: 30_000 }));

/** Each member as `1 voter`, as a node tells them. */
async function members(client: Client): Promise<string[]> {
  const quorum = await client.admin().describeQuorum();
  return quorum.members.map(({ nodeId, role }) => `${nodeId} ${role}`).toSorted();
}

test('an observer joins, becomes a voter, leads, and is taken out, by commands', async () => {
  const cluster = keep(await ClusterProcesses.started());
  await cluster.ask(1, 'topic', 'create', 'orders', '--partitions', '4');
  await cluster.add(4);
  await cluster.start(4);
  expect(await cluster.ask(2, 'quorum', 'describe')).toMatch(/^ +4 +observer /m);
  expect(await cluster.ask(4, 'cluster', 'describe')).toMatch(/^ +4 +127\.0\.0\.1:\d+/m);

  expect(await cluster.ask(1, 'quorum', 'add-voter', '4')).toBe('node 4 is a voter\n');
  expect(await cluster.ask(1, 'quorum', 'transfer', '4')).toBe('node 4 leads the quorum\n');
  const described = await cluster.ask(3, 'quorum', 'describe');
  expect(described).toMatch(/^leader 4, epoch \d+, committed \d+, applied \d+\nNODE +ROLE /);
  expect(described.match(/^ +\d +voter /gm)).toHaveLength(4);
  expect(await cluster.ask(4, 'topic', 'list')).toContain('orders');
  expect(await cluster.ask(1, 'quorum', 'remove-voter', '4')).toBe('node 4 is out of the quorum\n');
  const remaining = await clientOf(cluster, 1);
  await until('another leader', async () => {
    const { leaderId } = await remaining.admin().describeQuorum();
    return leaderId >= 1 && leaderId <= 3;
  });
  const refused = await cluster.try(1, 'quorum', 'transfer', '9');
  expect(refused).toMatchObject({ code: 3 });
  expect(refused.stderr).toMatch(/^varve: .*9/);

  expect(await cluster.node(3).stop()).toBe(0);
  const { code, stdout } = await run(['snapshot', 'dump', '--log', cluster.dataDir(3)]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^snapshot index: \d+ epoch: \d+ voters: /m);
  expect(stdout).toMatch(/name: orders/);
  const inUse = await run(['snapshot', 'dump', cluster.dataDir(1)]);
  expect(inUse).toMatchObject({ code: 1 });
  expect(inUse.stderr).toContain('is in use by a node; stop it first');
});

test('a voter that was removed and runs on does not disturb the others', async () => {
  const cluster = keep(await ClusterProcesses.started());
  const client = await clientOf(cluster, 1);
  const { leaderId } = await client.admin().describeQuorum();
  const removed = [1, 2, 3].find((id) => id !== leaderId && id !== 1)!;
  const before = await client.admin().describeQuorum();
  await cluster.ask(1, 'quorum', 'remove-voter', `${removed}`);
  // Several election timeouts.
  await sleep(4_000);
  await client.admin().createTopic({ name: 'after' });
  const after = await client.admin().describeQuorum();
  expect(after).toMatchObject({ leaderId, leaderEpoch: before.leaderEpoch });
  expect((await members(client)).filter((each) => each.endsWith(' voter'))).toHaveLength(2);
  // It asks whether it would be elected, and is told no: it never stands for election.
  const [, afterwards] = cluster.node(removed).log.split('"broker registered"');
  expect(afterwards).toContain('"role":"pre-candidate"');
  expect(afterwards).not.toContain('"role":"candidate"');
});

const fixture = fileURLToPath(new URL('../fixtures/data-directory-v1/clean', import.meta.url));

test('a single node of the version before grows into a cluster, and leaves its quorum', async () => {
  const cluster = keep(await ClusterProcesses.prepared([1]));
  cpSync(fixture, cluster.dataDir(1), { recursive: true });
  await cluster.start(1);
  const first = await clientOf(cluster, 1);
  expect(await members(first)).toEqual(['1 voter']);
  const topics = (await first.admin().listTopics()).map(({ name }) => name);
  expect(topics).toContain('records');
  await cluster.add(2);
  await cluster.start(2);
  expect(await members(first)).toEqual(['1 voter', '2 observer']);
  await cluster.ask(1, 'quorum', 'add-voter', '2');
  await cluster.ask(1, 'quorum', 'transfer', '2');
  await cluster.ask(2, 'quorum', 'remove-voter', '1');
  const second = await clientOf(cluster, 2);
  expect((await members(second)).filter((each) => each.endsWith('voter'))).toEqual(['2 voter']);
  await second.admin().createTopic({ name: 'after', partitionCount: 2 });
  expect((await second.admin().listTopics()).map(({ name }) => name)).toEqual(
    [...topics, 'after'].toSorted(),
  );
  await cluster.node(1).kill();
  await second.admin().createTopic({ name: 'alone' });
  const { leaderId } = await second.admin().describeQuorum();
  expect(leaderId).toBe(2);
});
