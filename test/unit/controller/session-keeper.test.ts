import { expect, test } from 'vitest';
import { SessionKeeper } from '../../../src/controller/session-keeper.ts';
import { emptyImage, type MetadataImage } from '../../../src/metadata/image.ts';
import { type NodeId, nodeId } from '../../../src/model/ids.ts';
import { simulatedEnv } from '../../simulation/env/simulated-env.ts';

const TIMEOUT_MS = 9_000;

function keeper(ids: readonly number[] = []) {
  const { scheduler, env } = simulatedEnv({ seed: 1 });
  let { brokers } = emptyImage;
  for (const id of ids)
    brokers = brokers.set(nodeId(id), { state: 'unfenced', nodeId: nodeId(id) } as never);
  const image: MetadataImage = { ...emptyImage, brokers };
  const fenced: string[] = [];
  let refusal: Error | null = null;
  const sessions = new SessionKeeper(TIMEOUT_MS, {
    ...env,
    image: () => image,
    fence: async (expired: readonly NodeId[]) => {
      if (refusal !== null) throw refusal;
      fenced.push(`${expired} at ${Math.round(scheduler.nowMs)}`);
    },
  });
  const refuse = (error: Error | null) => {
    refusal = error;
  };
  return { scheduler, env, sessions, fenced, refuse };
}

test('a broker that is not heard of is fenced when its session ends, once', async () => {
  const { scheduler, sessions, fenced } = keeper([1, 2]);
  sessions.activeIs(true);
  await scheduler.run(5_000);
  sessions.heard(nodeId(2));
  await scheduler.run(13_000);
  expect(fenced).toHaveLength(1);
  expect(fenced[0]).toMatch(/^1 at 90\d\d$/);
  await scheduler.run(60_000);
  expect(fenced).toHaveLength(2);
  expect([sessions.isAlive(nodeId(1)), sessions.isAlive(nodeId(2))]).toEqual([false, false]);
});

test('a node that is not active fences nobody, and gives all a session when it becomes so', async () => {
  const { scheduler, sessions, fenced } = keeper([1]);
  await scheduler.run(20_000);
  sessions.activeIs(true);
  await scheduler.run(25_000);
  sessions.activeIs(false);
  await scheduler.run(60_000);
  expect(fenced).toEqual([]);
  sessions.activeIs(true);
  expect(sessions.isAlive(nodeId(1))).toBe(true);
  await scheduler.run(80_000);
  expect(fenced).toHaveLength(1);
});

test('a broker that registers later has a session from then on', async () => {
  const { scheduler, sessions, fenced } = keeper();
  sessions.activeIs(true);
  await scheduler.run(1_000);
  sessions.heard(nodeId(7));
  expect(sessions.isAlive(nodeId(7))).toBe(true);
  await scheduler.run(9_900);
  expect(fenced).toEqual([]);
  await scheduler.run(10_200);
  expect(fenced).toHaveLength(1);
});

test('a fence that is refused is tried again', async () => {
  const { scheduler, sessions, fenced, refuse } = keeper([1]);
  sessions.activeIs(true);
  refuse(new Error('too much at a time'));
  await scheduler.run(10_000);
  refuse(null);
  await scheduler.run(20_000);
  expect(fenced).toHaveLength(1);
});
