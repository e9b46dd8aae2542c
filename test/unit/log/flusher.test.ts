import { describe, expect, it } from 'vitest';
import { DiskHealth } from '../../../src/log/disk-health.ts';
import { type Flushable, Flusher } from '../../../src/log/flusher.ts';
import { simulatedEnv } from '../../simulation/env/simulated-env.ts';

function world(concurrency: number) {
  const { env, scheduler } = simulatedEnv({ seed: 1 });
  const failures: Error[] = [];
  const stalls: number[] = [];
  const health = new DiskHealth((error) => failures.push(error));
  const settings = { concurrency, stallMs: 100, maxQueuedBytes: 10, journalFrom: 3 };
  const flusher = new Flusher(settings, env.timers, health, (ms) => stalls.push(ms));
  const running = new Set<string>();
  const seen = { most: 0, cycles: [] as string[], journaled: [] as string[] };
  const log = (name: string, ms = 10, isForJournal = false): Flushable => ({
    isForJournal,
    flushCycle: (to) =>
      new Promise((resolve) => {
        expect(running.has(name)).toBe(false);
        if (to === 'journal') seen.journaled.push(name);
        else running.add(name);
        seen.most = Math.max(seen.most, running.size);
        seen.cycles.push(name);
        env.timers.after(ms, () => {
          running.delete(name);
          resolve();
        });
      }),
  });
  return { scheduler, flusher, log, seen, stalls, failures };
}

describe('the flusher', () => {
  it('begins in a later turn, so that what is appended in one turn shares a cycle', async () => {
    const { scheduler, flusher, log, seen } = world(2);
    const a = log('a');
    flusher.schedule(a);
    flusher.schedule(a);
    expect(seen.cycles).toEqual([]);
    await scheduler.run(100);
    expect(seen.cycles).toEqual(['a']);
  });

  it('runs one more cycle for what was appended during one, never two of a log at a time', async () => {
    const { scheduler, flusher, log, seen } = world(2);
    const a = log('a');
    flusher.schedule(a);
    await scheduler.run(5);
    flusher.schedule(a);
    flusher.schedule(a);
    await scheduler.run(100);
    expect(seen.cycles).toEqual(['a', 'a']);
  });

  it('runs as many logs beside each other as it may, in the order in which they asked', async () => {
    const { scheduler, flusher, log, seen } = world(2);
    for (const name of ['a', 'b', 'c', 'd']) flusher.schedule(log(name));
    await scheduler.run(100);
    expect(seen.most).toBe(2);
    expect(seen.cycles).toEqual(['a', 'b', 'c', 'd']);
  });

  it('has those that may use the journal when many wait, all at a time', async () => {
    const { scheduler, flusher, log, seen } = world(1);
    for (const name of ['a', 'b', 'c']) flusher.schedule(log(name, 10, name !== 'b'));
    await scheduler.run(100);
    expect(seen.journaled).toEqual(['a', 'c']);
    expect(seen.cycles).toEqual(['a', 'c', 'b']);
    expect(seen.most).toBe(1);
    for (const name of ['a', 'b']) flusher.schedule(log(name, 10, true));
    await scheduler.run(200);
    expect(seen.journaled).toEqual(['a', 'c']);
  });

  it('reports a cycle that hangs', async () => {
    const { scheduler, flusher, log, stalls } = world(2);
    flusher.schedule(log('quick', 90));
    flusher.schedule(log('slow', 500));
    await scheduler.run(1000);
    expect(stalls).toEqual([100]);
  });

  it('takes the directory out of service when a cycle fails', async () => {
    const { scheduler, flusher, failures } = world(1);
    const flushCycle = () => Promise.reject(new Error('EIO'));
    flusher.schedule({ isForJournal: false, flushCycle });
    await scheduler.run(10);
    expect(failures.map((error) => error.message)).toEqual([
      'the data directory is out of service: EIO',
    ]);
  });

  it('is full when as much waits as may', () => {
    const { flusher } = world(1);
    flusher.queued(9);
    expect(flusher.isFull).toBe(false);
    flusher.queued(1);
    expect(flusher.isFull).toBe(true);
    flusher.settled(10);
    expect(flusher.queuedBytes).toBe(0);
  });
});
