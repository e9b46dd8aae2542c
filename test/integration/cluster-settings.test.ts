import { writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ClusterProcesses } from '../support/cluster-processes.ts';
import { BrokerProcess, run, TemporaryFolder } from '../support/processes.ts';

/** What a node of a cluster is told by a file, by variables, or wrongly. */

test('a file, variables and options make nodes of the same cluster', async () => {
  await using cluster = await ClusterProcesses.prepared();
  const peer = (id: number): string => cluster.peerAddresses.get(id)!;

  const file = `${cluster.folder.path}/node-2.yaml`;
  const settings = [
    ...['node.id: 2', `controller.quorum.voters: "${cluster.voters}"`],
    ...[`peer.listener: "${peer(2)}"`, 'broker.rack: cellar'],
  ];
  writeFileSync(file, `${settings.join('\n')}\n`);
  const byFile = new BrokerProcess(cluster.dataDir(2), '--config', file);
  const byVariables = new BrokerProcess(cluster.dataDir(3));
  byVariables.variables = {
    VARVE_NODE_ID: '3',
    VARVE_CONTROLLER_QUORUM_VOTERS: cluster.voters,
    VARVE_PEER_LISTENER: peer(3),
    VARVE_BROKER_RACK: 'attic',
  };
  cluster.nodes.set(2, byFile).set(3, byVariables);
  await cluster.start(1, 2, 3);

  const client = await cluster.connect();
  const { brokers } = await client.admin().describeCluster();
  const quorum = await client.admin().describeQuorum();
  await client.close();
  expect(brokers.map(({ nodeId, rack }) => [nodeId, rack]).toSorted()).toEqual([
    [1, ''],
    [2, 'cellar'],
    [3, 'attic'],
  ]);
  expect(quorum.members.map(({ nodeId, role }) => `${nodeId} ${role}`)).toEqual(
    [1, 2, 3].map((id) => `${id} voter`),
  );
});

const wrong: readonly (readonly [voters: string, complaint: string])[] = [
  ['1', '"1" is not ID@HOST:PORT'],
  ['one@127.0.0.1:9093', 'is not ID@HOST:PORT'],
  ['1@127.0.0.1', 'is not ID@HOST:PORT'],
  ['1@127.0.0.1:0', 'has no port that others can find'],
  ['1@127.0.0.1:1,1@127.0.0.1:2', 'node 1 stands twice in it'],
  ['1@127.0.0.1:1,2@127.0.0.1:1', 'two nodes have the address 127.0.0.1:1'],
];

test('voters that cannot be meant end the start with code 78 and a sentence', async () => {
  using folder = new TemporaryFolder();
  const ends = wrong.map(([voters]) =>
    run(['start', '--data-dir', `${folder.path}/data`, '--voters', voters]),
  );
  for (const [at, { code, stdout, stderr }] of (await Promise.all(ends)).entries()) {
    expect([code, stdout], stderr).toEqual([78, '']);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(stderr).toMatch(/^varve: .*controller\.quorum\.voters/);
    expect(stderr).toContain(wrong[at]![1]);
  }
});
