import { expect, test } from 'vitest';
import { ServerCluster } from '../../support/server-cluster.ts';

const warnings = (cluster: ServerCluster, id: number): string =>
  cluster
    .node(id)
    .log.filter(({ level }) => level !== 'debug')
    .map(({ fields, message }) => `${message}: ${String(fields['reason'] ?? '')}`)
    .join('\n');

test('two of three listed nodes form nothing, however long they wait', async () => {
  const cluster = new ServerCluster(1, [1, 2, 3]);
  let serving = 0;
  for (const id of [1, 2]) void cluster.start(id).then(() => serving++);
  await cluster.pass(120_000);
  expect(serving).toBe(0);
  expect(warnings(cluster, 1)).toContain('not reached: 3@127.0.0.3:9093');
  await cluster.run(cluster.start(3));
  await cluster.pass(5_000);
  expect(serving).toBe(2);
});

test('a voter whose disk is gone forms no second cluster, with the first voter down', async () => {
  const cluster = await ServerCluster.started(2);
  expect(await cluster.createTopic(1, 'kept')).toBe('ok');
  const clusterId = cluster.node(3).server!.clusterId;
  cluster.crash(1);
  cluster.wipe(2);
  let isServing = false;
  void cluster.start(2).then(() => {
    isServing = true;
  });
  await cluster.pass(60_000);
  expect(isServing).toBe(false);
  expect(warnings(cluster, 2)).toMatch(/node 2 of cluster \S+ has data directory/);
  expect(cluster.node(3).server!.clusterId).toBe(clusterId);
  // With the first voter back there is a majority, which still does not take the empty disk for a voter.
  await cluster.run(cluster.start(1));
  expect(await cluster.createTopic(1, 'more')).toBe('ok');
  await cluster.pass(5_000);
  expect(isServing).toBe(false);
});

test('a node that is no voter joins, follows and serves', async () => {
  const cluster = await ServerCluster.started(3);
  expect(await cluster.createTopic(1, 'before')).toBe('ok');
  await cluster.run(cluster.start(4));
  expect(await cluster.topics(4)).toEqual(['before']);
  expect(await cluster.createTopic(4, 'by-the-observer', 4)).toBe('ok');
  await cluster.pass(500);
  expect((await cluster.leaders(4, 'by-the-observer')).sort()).toEqual([1, 2, 3, 4]);
  cluster.crash(4);
  await cluster.run(cluster.start(4));
  expect(await cluster.topics(4)).toEqual(['before', 'by-the-observer']);
});

test('a node of another cluster is not let in', async () => {
  const cluster = await ServerCluster.started(4, [1, 2]);
  let isServing = false;
  const stranger = cluster.start(3, { 'cluster.id': 'another' });
  void stranger.then(() => {
    isServing = true;
  });
  await cluster.pass(20_000);
  expect(isServing).toBe(false);
  expect(warnings(cluster, 3)).toContain('another');
});

test('a node that was alone and is of a cluster now says what it needs', async () => {
  const cluster = await ServerCluster.started(5, [1, 2]);
  await cluster.stop(2);
  const alone = cluster.start(2, { 'controller.quorum.voters': '' });
  await expect(cluster.run(alone)).rejects.toThrow('/data is of a cluster with nodes 1: say where');
});

test('a node that is stopped while it waits for others ends at once', async () => {
  const cluster = new ServerCluster(6, [1, 2]);
  const controller = new AbortController();
  const started = cluster.start(1, {}, controller.signal);
  await cluster.pass(3_000);
  controller.abort(new Error('enough'));
  await expect(cluster.run(started)).rejects.toThrow('enough');
});

test.for([
  ['alone', []],
  ['with others that are not there', [1, 2, 3]],
] as const)(
  'a node %s can be stopped at any moment of its start, and starts again',
  async ([_, voters]) => {
    for (let afterMs = 0; afterMs < 20; afterMs += 0.5) {
      const cluster = new ServerCluster(7, voters);
      const controller = new AbortController();
      const started = cluster.start(1, {}, controller.signal);
      started.catch(() => {});
      await cluster.pass(afterMs);
      // It was quicker.
      if (cluster.node(1).server !== undefined) break;
      controller.abort(new Error('enough'));
      await expect(cluster.run(started)).rejects.toThrow('enough');
      expect(cluster.node(1).fatal).toEqual([]);
      const again = new AbortController();
      let failure: unknown;
      cluster.start(1, {}, again.signal).catch((error: unknown) => {
        failure = error;
      });
      await cluster.pass(1_000);
      expect([afterMs, failure]).toEqual([afterMs, undefined]);
    }
  },
);
