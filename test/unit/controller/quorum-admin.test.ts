import { expect, test } from 'vitest';
import { nodeId } from '../../../src/model/ids.ts';
import { failure } from '../../support/api-failure.ts';
import { ControllerCluster } from '../../support/controller-cluster.ts';

/** Three voters, and what the leader does. */
async function opened(voters = 3) {
  const cluster = await ControllerCluster.started(1, voters);
  const leader = cluster.active!;
  const others = [...cluster.nodes.values()].filter((node) => node !== leader);
  return { cluster, leader, admin: leader.admin, others };
}

const membersOf = (cluster: ControllerCluster): string[] =>
  cluster.active!.admin.here.members.map(({ nodeId: id, role }) => `${id} ${role}`);

test('the leader tells who votes, how far each is, and who was heard of', async () => {
  const { cluster, admin, leader, others } = await opened();
  await cluster.startObserver(4);
  cluster.crash(others[0]!.id);
  await cluster.run(leader.controller.allocateProducerIds(1));
  await cluster.pass(5_000);
  const { members, ...rest } = await cluster.run(admin.describe());
  const { commitIndex, last, epoch } = leader.quorum.status;
  expect(rest).toEqual({
    ...{ leaderId: leader.id, leaderEpoch: epoch },
    ...{ commitIndex, appliedIndex: commitIndex },
  });
  expect(members.map(({ nodeId: id, role }) => `${id} ${role}`)).toEqual([
    ...['1 voter', '2 voter', '3 voter', '4 learner'],
  ]);
  const dead = members.find(({ nodeId: id }) => id === others[0]!.id)!;
  expect(dead).toMatchObject({ directoryId: `directory-${dead.nodeId}`, isHeardOf: false });
  expect(dead.lag).toBeGreaterThan(0);
  expect(dead.matchIndex! + dead.lag!).toBe(last.index);
  const self = members.find(({ nodeId: id }) => id === leader.id)!;
  expect(self).toMatchObject({ matchIndex: last.index, lag: 0, isHeardOf: true });
});

test('who is alive is heard of, whenever the leader is asked', async () => {
  const { cluster, admin } = await opened();
  for (let i = 0; i < 40; i++) {
    await cluster.pass(37);
    const { members } = await cluster.run(admin.describe());
    expect(members.map(({ isHeardOf }) => isHeardOf)).toEqual([true, true, true]);
  }
});

test('who does not lead knows the members, and not how far they are', async () => {
  const { others, leader } = await opened();
  const { here } = others[0]!.admin;
  expect(here.leaderId).toBe(leader.id);
  expect(here.members.map(({ lag }) => lag)).toEqual([null, null, null]);
});

test('an observer becomes a voter when it has caught up', async () => {
  const { cluster, admin } = await opened();
  await cluster.startObserver(4);
  await cluster.run(admin.addVoter(nodeId(4)));
  expect(membersOf(cluster)).toEqual(['1 voter', '2 voter', '3 voter', '4 voter']);
  // Asked again, as after a lost answer.
  await cluster.run(admin.addVoter(nodeId(4)));
});

test('an observer that comes a little later is waited for', async () => {
  const { cluster, admin } = await opened();
  const added = admin.addVoter(nodeId(4));
  await cluster.pass(2_000);
  await cluster.startObserver(4);
  await cluster.run(added);
  expect(membersOf(cluster)).toContain('4 voter');
});

test('a node that does not run, or lags behind, is no voter after a while, and the sentence says so', async () => {
  const { cluster, admin } = await opened();
  expect(await cluster.run(failure(admin.addVoter(nodeId(4))))).toBe(
    'VOTER_NOT_FOUND: node 4 is no member of the metadata quorum; a node that runs is one, as an observer at first; nothing was changed',
  );
  await cluster.startObserver(4);
  cluster.crash(4);
  await cluster.run(cluster.active!.controller.allocateProducerIds(1));
  await cluster.pass(1_000);
  expect(await cluster.run(failure(admin.addVoter(nodeId(4))))).toBe(
    'REQUEST_TIMED_OUT: node 4 has not caught up with the metadata log; try again when it lags less; nothing was changed',
  );
});

test('a voter and an observer are removed; one that is no member is refused', async () => {
  const { cluster, admin, others } = await opened();
  await cluster.startObserver(4);
  await cluster.run(admin.removeVoter(others[0]!.id, false));
  await cluster.run(admin.removeVoter(nodeId(4), false));
  expect(membersOf(cluster)).toHaveLength(2);
  expect(await failure(admin.removeVoter(nodeId(4), false))).toMatch(/^VOTER_NOT_FOUND: node 4/);
});

test('the last voter stays, whoever forces it', async () => {
  const { admin } = await opened(1);
  expect(await failure(admin.removeVoter(nodeId(1), true))).toBe(
    'INVALID_REQUEST: node 1 is the last voter of the metadata quorum; add another one first; nothing was changed',
  );
});

test('a voter without which those that answer are no majority is removed by force only', async () => {
  const { cluster, admin, others } = await opened();
  const [dead, alive] = others as [(typeof others)[0], (typeof others)[0]];
  cluster.crash(dead.id);
  await cluster.pass(5_000);
  expect(await cluster.run(failure(admin.removeVoter(alive.id, false)))).toMatch(
    /^INVALID_REQUEST: without node \d those that answer are no majority .*or force it; nothing was changed$/,
  );
  // The dead one is not missed.
  await cluster.run(admin.removeVoter(dead.id, false));
  expect(membersOf(cluster)).toHaveLength(2);
});

test('with force it goes', async () => {
  const { cluster, leader, admin, others } = await opened();
  cluster.crash(others[0]!.id);
  await cluster.pass(5_000);
  void failure(admin.removeVoter(others[1]!.id, true));
  await cluster.until(() => leader.quorum.status.configuration.voters.length === 2);
});

test('a leader that is to go hands over first, and the next one removes it', async () => {
  const { cluster, leader, others } = await opened();
  await cluster.run(others[0]!.forwarding.quorum.removeVoter(leader.id, false));
  await cluster.until(() => cluster.active !== undefined && cluster.active.id !== leader.id);
  const voters = others.map(({ id }) => `${id} voter`).toSorted();
  expect(membersOf(cluster)).toEqual(voters);
});

test('the leadership goes to a voter, and to no other node', async () => {
  const { cluster, admin, others, leader } = await opened();
  await cluster.startObserver(4);
  expect(await failure(admin.transferLeadership(nodeId(4)))).toMatch(/^VOTER_NOT_FOUND: node 4/);
  expect(await failure(admin.transferLeadership(nodeId(9)))).toMatch(/^VOTER_NOT_FOUND: node 9/);
  await admin.transferLeadership(leader.id);
  await cluster.run(admin.transferLeadership(others[1]!.id));
  await cluster.until(() => cluster.active?.id === others[1]!.id);
  expect(await failure(admin.transferLeadership(nodeId(1)))).toMatch(/^NOT_CONTROLLER/);
});

test('a voter that is dead does not take over, and the leader goes on', async () => {
  const { cluster, admin, others, leader } = await opened();
  cluster.crash(others[0]!.id);
  await cluster.pass(1_000);
  expect(await cluster.run(failure(admin.transferLeadership(others[0]!.id)))).toMatch(
    /^REQUEST_TIMED_OUT: /,
  );
  expect(cluster.active).toBe(leader);
});

test('a leader that is to be removed hands over to one that lives', async () => {
  const { cluster, leader, admin, others } = await opened(5);
  await cluster.pass(1_000);
  cluster.crash(others[0]!.id);
  await cluster.pass(5_000);
  expect(await cluster.run(failure(admin.removeVoter(leader.id, false)))).toMatch(
    /^NOT_CONTROLLER/,
  );
});
