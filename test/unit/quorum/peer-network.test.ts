import { expect, test } from 'vitest';
import { leaderEpoch, nodeId } from '../../../src/model/ids.ts';
import { Peers } from '../../../src/quorum/peer-network.ts';
import { silentLogger } from '../../../src/telemetry/logger.ts';
import { SimulatedMachine } from '../../simulation/env/simulated-env.ts';
import { NodeWorld } from '../../simulation/quorum/node-world.ts';

test('a follower whose wire goes dead without a word catches up when it is mended', async () => {
  const world = await NodeWorld.ofThree(1);
  await world.replicated('one', [1, 2, 3]);
  const leader = world.leader!;
  const follower = [1, 2, 3].map((id) => world.node(id)).find((node) => node !== leader)!;
  const third = [1, 2, 3].map((id) => world.node(id)).find((n) => n !== leader && n !== follower)!;
  world.wires.cut(leader.address, follower.address);
  world.wires.cut(third.address, follower.address);
  const { epoch } = leader.driver.status;
  await world.replicated('two', [leader.name, third.name]);
  await world.pass(20_000);
  world.wires.mend();
  await world.replicated('three', [1, 2, 3]);
  // Pre-votes into nothing have raised no epoch.
  expect(world.leader!.driver.status.epoch).toBe(epoch);
});

test('a leader that is cut off is replaced within two seconds or so, and comes back as a follower', async () => {
  const world = await NodeWorld.ofThree(2);
  await world.replicated('one', [1, 2, 3]);
  const old = world.leader!;
  const others = [1, 2, 3].map((id) => world.node(id)).filter((node) => node !== old);
  for (const other of others) world.wires.cut(old.address, other.address);
  await world.until(() => others.some((node) => node.driver!.status.role === 'leader'));
  await world.replicated(
    'two',
    others.map(({ name }) => name),
  );
  world.wires.mend();
  await world.replicated('three', [1, 2, 3]);
  expect(old.driver.status.role).toBe('follower');
});

test('an idle cluster sends little, and connects no more', async () => {
  const world = await NodeWorld.ofThree(3);
  await world.replicated('one', [1, 2, 3]);
  await world.pass(10_000);
  const { attempts } = world.wires;
  await world.pass(60_000);
  expect(world.wires.attempts).toBe(attempts);
  for (const node of world.nodes.values()) {
    expect(world.logged(node, 'was lost')).toEqual([]);
  }
});

test('a link to a member that is no more is let go', async () => {
  const world = new NodeWorld(5);
  const machine = new SimulatedMachine({ seed: 1, name: 'here', scheduler: world.scheduler });
  const transport = world.wires.endOf('here:1', machine.incarnation, machine.env.timers);
  const memberOf = (id: number) => ({ id: nodeId(id), directoryId: `d${id}` });
  const peers = new Peers(
    { self: memberOf(1), address: '', heartbeatIntervalMs: 100 },
    {
      ...machine.env,
      logger: silentLogger,
      transport,
      addressOf: () => 'nowhere:1',
      onRefused() {},
    },
  );
  const message = { kind: 'timeout-now', epoch: leaderEpoch(1) } as const;
  peers.send(memberOf(2), message);
  await world.pass(10_000);
  expect(world.wires.attempts).toBe(0);
  peers.start('c', { received() {}, reachable() {}, unreachable() {} });
  peers.send(memberOf(2), message);
  peers.send(memberOf(3), message);
  await world.pass(60_000);
  const both = world.wires.attempts;
  peers.keepOnly([memberOf(1), memberOf(3)]);
  await world.pass(60_000);
  const one = world.wires.attempts - both;
  expect(one).toBeGreaterThan(25);
  expect(one).toBeLessThan(both * 0.75);
  await world.scheduler.complete(peers.close());
  await world.pass(60_000);
  expect(world.wires.attempts).toBe(both + one);
});

test('a wiped voter that tries to speak for the old one is refused by those that know it', async () => {
  const world = await NodeWorld.ofThree(4);
  await world.replicated('one', [1, 2, 3]);
  const wiped = world.node(2);
  await world.wipe(wiped);
  await world.pass(100);
  world.start(wiped);
  await world.pass(20_000);
  // Raft of the others still writes to the directory that is gone.
  expect(wiped.driver).toBeNull();
  await world.replicated('two', [1, 3]);
});
