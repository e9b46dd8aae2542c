import { describe, expect, test } from 'vitest';
import type { Member } from '../../../src/raft/configuration.ts';
import { NodeWorld, type WorldNode } from '../../simulation/quorum/node-world.ts';

const clustersOf = (world: NodeWorld): string[] => [...new Set(world.begun.values())];

const memberOf = (node: WorldNode): Member => node.member!;

async function formed(seed: number): Promise<NodeWorld> {
  const world = await NodeWorld.ofThree(seed);
  await world.replicated('first', [1, 2, 3]);
  return world;
}

describe('forming', () => {
  test('three empty voters form one cluster, elect a leader and replicate', async () => {
    const world = await formed(1);
    expect(clustersOf(world)).toHaveLength(1);
    expect(world.begun.size).toBe(3);
  });

  test('a voter alone in its list forms a cluster without asking anybody', async () => {
    const world = new NodeWorld(1);
    await world.add(1, { voters: [1] });
    await world.replicated('first', [1]);
    expect(world.wires.attempts).toBe(0);
  });

  test('nothing forms while a voter has never been there, however long', async () => {
    const world = new NodeWorld(2);
    await world.add(1);
    await world.add(2);
    await world.pass(120_000);
    expect(world.begun.size).toBe(0);
    expect(world.logged(world.node(1), 'not reached: 3@node-3:9093')).toHaveLength(1);
    await world.add(3);
    await world.replicated('one', [1, 2, 3]);
  });

  test('nothing forms while the lists differ, and both are in the log', async () => {
    const world = new NodeWorld(3);
    await world.add(1);
    await world.add(2);
    await world.add(3, { voters: [2, 3] });
    await world.pass(60_000);
    expect(world.begun.size).toBe(0);
    const both =
      'node 1 was given the voters 1@node-1:9093,2@node-2:9093,3@node-3:9093, node 3 the voters 2@node-2:9093,3@node-3:9093';
    expect(world.logged(world.node(1), both)).toHaveLength(1);
  });

  test('a cluster id that is set wins, and all who have it set must agree', async () => {
    const world = new NodeWorld(4);
    await world.add(1);
    await world.add(2, { clusterId: 'ours' });
    await world.add(3, { clusterId: 'theirs' });
    await world.pass(30_000);
    expect(world.begun.size).toBe(0);
    expect(world.logged(world.node(1), 'different cluster ids: ours, theirs')).toHaveLength(1);
    world.crash(world.node(3));
    world.nodes.delete('3');
    await world.add(3, { clusterId: 'ours' });
    await world.replicated('one', [1, 2, 3]);
    expect(clustersOf(world)).toEqual(['ours']);
  });

  test('one machine under two ids, and an address that leads elsewhere, form nothing', async () => {
    const world = new NodeWorld(5);
    await world.add(1, { addresses: { 3: 'node-2:9093' } });
    await world.add(2);
    await world.add(3);
    await world.pass(30_000);
    expect(world.begun.size).toBe(0);
    expect(
      world.logged(world.node(1), 'at the address node-2:9093 of voter 3 is node 2'),
    ).toHaveLength(1);
  });

  for (const id of [1, 2, 3]) {
    for (const step of ['decided', 'begun', 'identified']) {
      test(`one cluster is formed also if node ${id} loses power when it has ${step}`, async () => {
        const world = new NodeWorld(6);
        let crashes = 0;
        for (const each of [1, 2, 3]) await world.addStopped(each);
        const node = world.node(id);
        node.onStep = (reached) => {
          if (reached !== step || crashes > 0) return;
          crashes++;
          // Not within its own call.
          world.scheduler.after(0, () => world.crash(node));
        };
        for (const each of world.nodes.values()) world.start(each);
        await world.until(() => crashes === 1 && !node.isRunning);
        await world.pass(5_000);
        world.start(node);
        await world.replicated('one', [1, 2, 3]);
        expect(clustersOf(world)).toHaveLength(1);
        expect(world.begun.size).toBe(3);
      });
    }
  }

  test('an id that two nodes have forms no second cluster, and both are told of', async () => {
    const world = new NodeWorld(7);
    for (const id of [1, 2, 3]) await world.add(id);
    // Reaches all others, but is not where they look for node 1.
    const twin = await world.add('twin', {
      nodeId: 1,
      address: 'twin:9093',
      addresses: { 1: 'twin:9093' },
    });
    await world.replicated('one', [1, 2, 3]);
    await world.pass(20_000);
    expect(clustersOf(world)).toHaveLength(1);
    expect(twin.driver).toBeNull();
    expect(world.logged(twin, 'this one is')).toHaveLength(1);
  });

  test('of two nodes with one id none forms a cluster with voters that reach the other', async () => {
    const world = new NodeWorld(8);
    await world.add(2);
    await world.add(3);
    const away = await world.add('away', { nodeId: 1, address: 'away:9093' });
    world.wires.cut('node-2:9093', 'node-3:9093');
    await world.pass(3_000);
    // The others reach this one under id 1, and never that one.
    await world.add(1);
    await world.pass(3_000);
    world.wires.mend();
    await world.replicated('one', [1, 2, 3]);
    expect(away.driver).toBeNull();
    expect(clustersOf(world)).toHaveLength(1);
  });
});

describe('a formed cluster', () => {
  test('a voter that was wiped while another is down makes no second cluster, and does not vote', async () => {
    const world = await formed(9);
    world.crash(world.node(1));
    await world.wipe(world.node(2));
    await world.pass(100);
    world.start(world.node(2));
    await world.pass(60_000);
    expect(world.begun.size).toBe(3);
    expect(world.node(2).driver).toBeNull();
    expect(world.node(3).driver!.status.role).not.toBe('leader');
    const why = world.logged(world.node(2), 'it is empty or another disk');
    expect(why).toHaveLength(1);
    expect(why[0]!.level).toBe('warn');

    world.start(world.node(1));
    await world.replicated('second', [1, 3]);
    expect(world.node(2).driver).toBeNull();

    // Removed, it may come again as somebody new.
    await world.until(() => world.leader !== undefined);
    const { leader } = world;
    const old = leader!.driver.status.configuration.voters.find(({ id }) => id === 2)!;
    expect(await removed(world, old)).toBeNull();
    await world.until(() => world.node(2).driver !== null);
    await world.replicated('third', [1, 2, 3]);
    expect(clustersOf(world)).toHaveLength(1);
    expect(world.leader!.driver.status.configuration.learners).toEqual([memberOf(world.node(2))]);
  });

  test('an observer joins by any voter, follows the log, and comes back', async () => {
    const world = await formed(10);
    const observer = await world.add(4);
    await world.replicated('second', [1, 2, 3, 4]);
    expect(world.leader!.driver.status.configuration.learners).toEqual([memberOf(observer)]);
    world.crash(observer);
    await world.pass(1_000);
    world.start(observer);
    await world.replicated('third', [1, 2, 3, 4]);
    expect(world.begun.size).toBe(4);
  });

  test('an observer that loses power at any step of joining does it again', async () => {
    for (const step of ['decided', 'begun', 'identified']) {
      const world = await formed(11);
      const observer = await world.addStopped(4);
      let crashes = 0;
      observer.onStep = (reached) => {
        if (reached !== step || crashes++ > 0) return;
        world.scheduler.after(0, () => world.crash(observer));
      };
      world.start(observer);
      await world.until(() => crashes === 1 && !observer.isRunning);
      await world.pass(500);
      world.start(observer);
      await world.replicated('second', [1, 2, 3, 4]);
    }
  });

  test('an observer waits while there is no cluster, and while there is no leader', async () => {
    const world = new NodeWorld(12);
    const observer = await world.add(4);
    await world.pass(10_000);
    expect(observer.driver).toBeNull();
    for (const id of [1, 2, 3]) await world.add(id);
    await world.until(() => observer.driver !== null);
    await world.replicated('one', [1, 2, 3, 4]);
  });

  test('nodes of two clusters do not mix, and say so once', async () => {
    const world = await formed(13);
    const others = { 1: 'other-1:9093', 2: 'other-2:9093', 3: 'other-3:9093' };
    for (const id of [1, 2, 3]) {
      const settings = { nodeId: id, address: `other-${id}:9093`, addresses: others };
      await world.add(`other-${id}`, settings);
    }
    await world.until(() => world.begun.size === 6);
    await world.pass(10_000);
    expect(clustersOf(world)).toHaveLength(2);

    const torn = await world.add(4, { addresses: { 2: 'other-2:9093' } });
    await world.pass(10_000);
    expect(torn.driver).toBeNull();
    expect(world.logged(torn, 'of two clusters')).toHaveLength(1);
    const wrong = await world.add(5, { clusterId: 'a third one' });
    await world.pass(10_000);
    expect(wrong.driver).toBeNull();
    expect(world.logged(wrong, 'is to be of cluster a third one')).toHaveLength(1);
  });
});

/** Removes a member; as long as there is no leader, or it changes, again. */
async function removed(world: NodeWorld, member: Member): Promise<string | null> {
  return await world.scheduler.complete(
    world.leader!.driver.changeMembership({ kind: 'remove', member }),
  );
}
