import { expect, test } from 'vitest';
import type { Env } from '../../../src/env/ports.ts';
import { Scheduler } from '../../simulation/env/scheduler.ts';
import { simulatedEnv } from '../../simulation/env/simulated-env.ts';
import { SimulatedRandom } from '../../simulation/env/simulated-random.ts';
import { bytes, textOf } from './machine.ts';

/** A little of everything, much of it at once. */
async function work(env: Env): Promise<string> {
  const log: string[] = [];
  env.timers.after(3, () => log.push(`timer ${env.clock.wallMs()}`));
  env.timers.nextTurn(() => log.push('turn'));
  const store = await env.stores.open('/s');
  await Promise.all(
    ['/a', '/b', '/c', '/d'].map(async (path) => {
      const file = await env.files.open(path, 'create');
      await file.write(0, [env.random.bytes(2000)]);
      log.push(`${path} ${env.clock.monotonicMs()}`);
      if (env.random.uint32() % 2 === 0) await file.sync();
      await store.batch([{ type: 'put', key: bytes(path), value: bytes('x') }], { sync: false });
    }),
  );
  return log.join('\n');
}

async function history(seed: number): Promise<string> {
  const machine = simulatedEnv({ seed });
  const log = await machine.scheduler.complete(work(machine.env));
  machine.crash('power');
  const env = machine.restart();
  const left: string[] = [];
  for (const path of await machine.scheduler.complete(env.files.list('/'))) {
    const stat = await machine.scheduler.complete(env.files.stat(path));
    left.push(`${path} ${JSON.stringify(stat)}`);
    if (stat?.kind === 'file') left.push(await machine.scheduler.complete(textOf(env, path)));
  }
  return [log, ...left, machine.scheduler.traceHash].join('\n');
}

test('the same seed gives the same history, through a power cut; other seeds give others', async () => {
  const histories = new Set<string>();
  for (let seed = 0; seed < 50; seed++) {
    const first = await history(seed);
    expect(await history(seed)).toBe(first);
    histories.add(first);
  }
  expect(histories.size).toBe(50);
});

test('nothing of a dead process completes, fails, fires or changes the disk any more', async () => {
  for (const kind of ['process', 'power'] as const) {
    for (let seed = 0; seed < 50; seed++) {
      const machine = simulatedEnv({ seed });
      const { env, scheduler } = machine;
      const file = await scheduler.complete(env.files.open('/a', 'create'));
      const store = await scheduler.complete(env.stores.open('/s'));
      const heard: string[] = [];
      const listen = (name: string, promise: Promise<unknown>): void =>
        void promise.then(
          () => heard.push(name),
          () => heard.push(name),
        );
      const begin = (when: string): void => {
        listen(`${when} write`, file.write(0, [bytes(when)]));
        listen(`${when} sync`, file.sync());
        listen(`${when} rename`, env.files.rename('/a', `/${when}`));
        listen(`${when} syncDirectory`, env.files.syncDirectory('/'));
        listen(`${when} missing`, env.files.syncDirectory('/missing'));
        listen(`${when} batch`, store.batch([{ type: 'delete', key: bytes('k') }], { sync: true }));
        listen(`${when} open`, env.stores.open('/t'));
        env.timers.after(1, () => heard.push(`${when} timer`));
        env.timers.nextTurn(() => heard.push(`${when} turn`));
      };
      begin('before');
      machine.crash(kind);
      const reborn = machine.restart();
      const before = await scheduler.complete(reborn.files.list('/'));
      begin('after');
      await scheduler.run(scheduler.nowMs + 60_000);
      expect(heard).toEqual([]);
      expect(await scheduler.complete(reborn.files.list('/'))).toEqual(before);
    }
  }
});

test('a store is free again after its owner died, and taken while the new one lives', async () => {
  const machine = simulatedEnv({ seed: 1 });
  await machine.scheduler.complete(machine.env.stores.open('/s'));
  machine.crash('process');
  const env = machine.restart();
  await machine.scheduler.complete(env.stores.open('/s'));
  await expect(machine.scheduler.complete(env.stores.open('/s'))).rejects.toThrow('is in use');
});

test('a machine runs one process at a time', () => {
  const machine = simulatedEnv({ seed: 1 });
  expect(() => machine.restart()).toThrow('one process');
});

test('machines with names of their own share time and nothing else', async () => {
  const scheduler = new Scheduler(new SimulatedRandom(1));
  const one = simulatedEnv({ seed: 1, name: 'one', scheduler });
  const other = simulatedEnv({ seed: 1, name: 'other', scheduler });
  expect(one.env.random.bytes(8)).not.toEqual(other.env.random.bytes(8));
  await scheduler.complete(one.env.files.makeDirectory('/a'));
  expect(await scheduler.complete(other.env.files.list('/'))).toEqual([]);
  one.clock.jumpWall(-5000);
  expect(other.env.clock.wallMs() - one.env.clock.wallMs()).toBe(5000);
  expect(other.env.clock.monotonicMs()).toBe(one.env.clock.monotonicMs());
});

test('each life of a machine draws its own random numbers', () => {
  const machine = simulatedEnv({ seed: 1 });
  const first = machine.env.random.bytes(8);
  machine.crash('process');
  expect(machine.restart().random.bytes(8)).not.toEqual(first);
});

test('timers fire at their time or a little later, next turns in order', async () => {
  const { env, scheduler } = simulatedEnv({ seed: 1 });
  const late: number[] = [];
  for (let ms = 0; ms < 50; ms++) {
    env.timers.after(ms, () => late.push(scheduler.nowMs - ms));
  }
  env.timers.after(10, () => late.push(Number.NaN)).cancel();
  const turns: number[] = [];
  for (let i = 0; i < 20; i++) env.timers.nextTurn(() => turns.push(i));
  await scheduler.run(1000);
  expect(late).toHaveLength(50);
  for (const ms of late) expect(ms >= 0 && ms < 2).toBe(true);
  expect(turns).toEqual(Array.from({ length: 20 }, (_, i) => i));
});
