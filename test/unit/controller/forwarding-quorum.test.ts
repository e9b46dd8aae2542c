import { expect, test } from 'vitest';
import { nodeId } from '../../../src/model/ids.ts';
import { ControllerCluster } from '../../support/controller-cluster.ts';

test('any node can be asked about the quorum, and to change it', async () => {
  const cluster = await ControllerCluster.started();
  const { other } = cluster;
  const { quorum } = other.forwarding;
  await cluster.startObserver(4);
  const described = await cluster.run(quorum.describe());
  expect(described).toEqual(await cluster.run(cluster.active!.admin.describe()));
  await cluster.run(quorum.addVoter(nodeId(4)));
  await cluster.run(quorum.transferLeadership(nodeId(4)));
  await cluster.until(() => cluster.active?.id === 4);
  await cluster.run(quorum.removeVoter(nodeId(4), false));
  const { members } = await cluster.run(quorum.describe());
  expect(members.map(({ nodeId: id, role }) => `${id} ${role}`)).toEqual([
    ...['1 voter', '2 voter', '3 voter'],
  ]);
});

test('the sentence of the leader comes through', async () => {
  const cluster = await ControllerCluster.started();
  const { quorum } = cluster.other.forwarding;
  await expect(cluster.run(quorum.removeVoter(nodeId(9), false))).rejects.toThrow(
    'node 9 is no member of the metadata quorum',
  );
});

test('without a leader a node tells what it knows by itself', async () => {
  const cluster = await ControllerCluster.started();
  const { other } = cluster;
  for (const { id } of cluster.nodes.values()) if (id !== other.id) cluster.crash(id);
  await cluster.pass(3_000);
  const { leaderId, members } = await cluster.run(other.forwarding.quorum.describe());
  expect(leaderId).toBe(null);
  expect(members.map(({ nodeId: id, lag }) => [id, lag])).toEqual([
    ...[
      [1, null],
      [2, null],
      [3, null],
    ],
  ]);
  const heardOf = members.filter(({ isHeardOf }) => isHeardOf);
  expect(heardOf.map(({ nodeId: id }) => id)).toEqual([other.id]);
});
