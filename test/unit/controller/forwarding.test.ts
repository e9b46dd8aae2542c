import { expect, test } from 'vitest';
import { failure } from '../../support/api-failure.ts';
import { registrationOf } from '../../support/broker-registration.ts';
import { withBroker } from '../../support/controller-cluster.ts';
import { newTopic, told } from './started-controller.ts';

test('a request finds the next leader when the one before is dead', async () => {
  const { cluster, other, leader } = await withBroker();
  cluster.crash(leader.id);
  const began = cluster.scheduler.nowMs;
  const created = await cluster.run(other.forwarding.createTopics([newTopic('a')]));
  expect(told(created)).toEqual(['a ok']);
  expect(cluster.scheduler.nowMs - began).toBeLessThan(5_000);
  expect(cluster.active!.id).not.toBe(leader.id);
});

test('a request that has looked for a leader for long does not wait as long again for the one that comes', async () => {
  const { cluster, other, leader } = await withBroker();
  for (const { machine } of cluster.nodes.values()) {
    machine.disk.plan({ operation: 'syncStore', path: /./, delayMs: 10, times: 1_000 });
  }
  cluster.crash(leader.id);
  const created = other.forwarding.createTopics([newTopic('a')]);
  await cluster.until(() => cluster.active !== undefined);
  const activeMs = cluster.scheduler.nowMs;
  expect(told(await cluster.run(created))).toEqual(['a ok']);
  expect(cluster.scheduler.nowMs - activeMs).toBeLessThan(150);
});

test('a request waits until there is a leader, and is told when there is none that nothing was changed', async () => {
  const { cluster, other, leader } = await withBroker();
  const third = [...cluster.nodes.values()].find((node) => node !== other && node !== leader)!;
  for (const { id } of [leader, third]) cluster.crash(id);
  const began = cluster.scheduler.nowMs;
  const late = failure(other.forwarding.createTopics([newTopic('a')]));
  expect(await cluster.run(late)).toMatch(
    /^NOT_CONTROLLER: no active controller was found within 30 s \(.+\); nothing was changed$/,
  );
  expect(cluster.scheduler.nowMs - began).toBeLessThanOrEqual(30_000);
  const waiting = other.forwarding.createTopics([newTopic('b')]);
  await cluster.pass(3_000);
  await cluster.start(third.id);
  expect(told(await cluster.run(waiting))).toEqual(['b ok']);
});

test('what was sent to a leader that is cut off is of unknown outcome once another leads', async () => {
  const { cluster, other, leader } = await withBroker();
  cluster.cutOff.add(leader.id);
  const began = cluster.scheduler.nowMs;
  const lost = failure(other.forwarding.createTopics([newTopic('a')]));
  expect(await cluster.run(lost)).toMatch(/^REQUEST_TIMED_OUT: it is not known whether/);
  // As soon as another leads, not after the time of the whole request.
  expect(cluster.scheduler.nowMs - began).toBeLessThan(5_000);
  expect(cluster.active!.id).not.toBe(leader.id);
});

test('the cut-off leader tells its own callers that the outcome is not known', async () => {
  const { cluster, leader } = await withBroker();
  cluster.cutOff.add(leader.id);
  const lost = failure(leader.forwarding.createTopics([newTopic('a')]));
  expect(await cluster.run(lost)).toMatch(/^REQUEST_TIMED_OUT: .*not known whether/);
});

test('what does no harm twice is asked of the next leader', async () => {
  const { cluster, other, leader } = await withBroker();
  const epoch = await cluster.run(other.forwarding.registerBroker(registrationOf(2, 'first')));
  const before = await cluster.run(other.forwarding.allocateProducerIds(10));
  cluster.cutOff.add(leader.id);
  const { forwarding } = other;
  const [again, ids, position, checked] = await cluster.run(
    Promise.all([
      forwarding.registerBroker(registrationOf(2, 'first')),
      forwarding.allocateProducerIds(10),
      forwarding.currentPosition(),
      forwarding.createTopics([newTopic('a')], true),
    ]),
  );
  expect(again).toBe(epoch);
  expect(ids).toBeGreaterThanOrEqual(before + 10);
  expect(position).toBeGreaterThan(epoch);
  expect(told(checked)).toEqual(['a ok']);
});

test('a slow disk does not make a change be asked for twice', async () => {
  const { cluster, other, leader } = await withBroker();
  for (const { machine } of cluster.nodes.values()) {
    machine.disk.plan({ operation: 'syncStore', path: /./, delayMs: 6_000 });
  }
  cluster.calls.length = 0;
  const created = await cluster.run(other.forwarding.createTopics([newTopic('a')]));
  expect(told(created)).toEqual(['a ok']);
  expect(cluster.calls.filter((path) => path.endsWith('CreateTopics'))).toHaveLength(1);
  expect(cluster.active).toBe(leader);
});

test('a registration is waited for as long as its signal lets it', async () => {
  const { cluster, other, leader } = await withBroker();
  for (const { id } of cluster.nodes.values()) if (id !== other.id) cluster.crash(id);
  const gone = new AbortController();
  const waiting = other.forwarding.registerBroker(registrationOf(2, 'first'), gone.signal);
  const outcome = waiting.then(
    () => 'registered',
    (error: unknown) => error,
  );
  let isOver = false;
  void outcome.then(() => {
    isOver = true;
  });
  await cluster.pass(120_000);
  expect(isOver).toBe(false);
  gone.abort(new Error('the broker stops'));
  expect(await cluster.run(outcome)).toEqual(new Error('the broker stops'));
  expect(leader.id).not.toBe(other.id);
});
