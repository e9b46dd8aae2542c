import { expect, test } from 'vitest';
import { Scheduler } from '../../simulation/env/scheduler.ts';
import { SimulatedRandom } from '../../simulation/env/simulated-random.ts';

const scheduler = (seed = 1): Scheduler => new Scheduler(new SimulatedRandom(seed));

test('events happen in order of time, and time stands still between them', async () => {
  const time = scheduler();
  const happened: string[] = [];
  for (const ms of [30, 10, 20, 5, 25]) time.after(ms, () => happened.push(`${ms}@${time.nowMs}`));
  await time.run(25);
  expect(happened).toEqual(['5@5', '10@10', '20@20', '25@25']);
  expect(time.nowMs).toBe(25);
  await time.run(100);
  expect(happened).toHaveLength(5);
  expect(time.nowMs).toBe(100);
});

test('the order of events at one moment is drawn from the seed', async () => {
  const orders = new Set<string>();
  for (let seed = 0; seed < 100; seed++) {
    const order = async (): Promise<string> => {
      const time = scheduler(seed);
      let names = '';
      for (const name of 'abc') {
        time.after(1, () => {
          names += name;
        });
      }
      await time.run(1);
      return names;
    };
    const first = await order();
    expect(await order()).toBe(first);
    orders.add(first);
  }
  expect(orders.size).toBe(6);
});

test('many events come out sorted', async () => {
  const time = scheduler();
  const random = new SimulatedRandom(1);
  const happened: number[] = [];
  for (let i = 0; i < 2000; i++) time.after(random.below(500), () => happened.push(time.nowMs));
  await time.run(500);
  expect(happened).toHaveLength(2000);
  expect(happened).toEqual(happened.toSorted((a, b) => a - b));
});

test('all promise reactions run before the next event, however long their chain', async () => {
  const time = scheduler();
  const happened: string[] = [];
  const chain = async (): Promise<void> => {
    for (let i = 0; i < 1000; i++) await null;
    happened.push('end of the chain');
  };
  time.after(1, () => void chain());
  time.after(1.001, () => happened.push('next event'));
  await time.run(2);
  expect(happened).toEqual(['end of the chain', 'next event']);
});

test('a cancelled event does not happen', async () => {
  const time = scheduler();
  let count = 0;
  const event = time.after(1, () => count++);
  time.after(0, () => event.cancel());
  await time.run(10);
  expect(count).toBe(0);
});

test('a run until a condition stops as soon as it holds', async () => {
  const time = scheduler();
  let count = 0;
  for (let i = 1; i <= 10; i++) time.after(i, () => count++);
  await time.run(() => count === 3);
  expect(time.nowMs).toBe(3);
});

test('a wait that cannot end says so, whether nothing is left or only repetition', async () => {
  const time = scheduler();
  await expect(time.complete(new Promise(() => {}))).rejects.toThrow('nothing is left to happen');
  const again = (): void => void time.after(60_000, again);
  again();
  await expect(time.complete(new Promise(() => {}))).rejects.toThrow('of virtual time');
});

test('what an event throws comes out of the run', async () => {
  const time = scheduler();
  time.after(1, () => {
    throw new Error('an invariant is broken');
  });
  await expect(time.run(5)).rejects.toThrow('an invariant is broken');
  await time.run(10);
});

test('complete gives the outcome of a promise, good or bad', async () => {
  const time = scheduler();
  const later = (): Promise<void> => new Promise((resolve) => void time.after(5, resolve));
  expect(await time.complete(later().then(() => 'done'))).toBe('done');
  const failing = later().then(() => {
    throw new Error('no');
  });
  await expect(time.complete(failing)).rejects.toThrow('no');
});

test('equal histories have equal trace hashes, different ones different', async () => {
  const hash = async (...delays: number[]): Promise<number> => {
    const time = scheduler();
    for (const ms of delays) time.after(ms, () => {});
    await time.run(100);
    return time.traceHash;
  };
  expect(await hash(1, 2, 3)).toBe(await hash(1, 2, 3));
  expect(await hash(1, 2, 3)).not.toBe(await hash(1, 3, 2));
  expect(await hash(1, 2)).not.toBe(await hash(1, 2, 3));
});
