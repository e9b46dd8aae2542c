import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { ClusterProcesses, until } from '../support/cluster-processes.ts';

/** Nodes that speak TLS with each other, and one that may not. */

const file = (name: string): string =>
  fileURLToPath(new URL(`../fixtures/tls/${name}`, import.meta.url));

const speaking = (certificate: string): string[] => [
  ...['--set', `peer.tls.cert.file=${file(`${certificate}.crt`)}`],
  ...['--set', `peer.tls.key.file=${file(`${certificate}.key`)}`],
  ...['--set', `peer.tls.ca.file=${file('nodes-ca.crt')}`],
];

test('nodes form a cluster over TLS, and one without their certificate is not let in', async () => {
  await using cluster = await ClusterProcesses.started([1, 2, 3], ...speaking('node'));
  await using client = await cluster.connect(1, 2, 3);
  const { leaderEpoch } = await client.admin().describeQuorum();

  const strangers: readonly (readonly [id: number, options: readonly string[]])[] = [
    [4, []],
    [5, speaking('other-node')],
  ];
  const starts: Promise<unknown>[] = [];
  for (const [id, options] of strangers) {
    const node = await cluster.add(id, ...options);
    // It is killed before it is ready.
    starts.push(node.start().catch((error: Error) => error));
  }
  for (const [id] of strangers) {
    const node = cluster.node(id);
    await until('it says so', () => node.log.includes('no listed voter answers'));
    for (const voter of [1, 2, 3]) {
      const address = cluster.peerAddresses.get(voter)!;
      expect(node.log).toMatch(new RegExp(`"address":"${address}".*"a node does not answer"`));
    }
  }
  // Those who refuse them say so, too.
  const told = () => [1, 2, 3].every((id) => cluster.node(id).log.includes('TLS handshake'));
  await until('a line of each voter', told);
  // It asks again and again.
  await sleep(2_000);
  for (const [id] of strangers) await cluster.node(id).kill();
  for (const each of await Promise.all(starts)) expect(each).toBeInstanceOf(Error);

  await client.admin().createTopic({ name: 'orders', partitionCount: 3 });
  const quorum = await client.admin().describeQuorum();
  expect(quorum.leaderEpoch).toBe(leaderEpoch);
  expect(quorum.members.map(({ nodeId }) => nodeId)).toEqual([1, 2, 3]);
  await cluster.add(6, ...speaking('node'));
  await cluster.start(6);
  const grown = await client.admin().describeQuorum();
  expect(grown.members.map(({ nodeId }) => nodeId)).toEqual([1, 2, 3, 6]);
});
