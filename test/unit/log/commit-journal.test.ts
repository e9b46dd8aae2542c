import { describe, expect, it } from 'vitest';
import { CommitJournal, type JournalUser } from '../../../src/log/commit-journal.ts';
import { DiskHealth } from '../../../src/log/disk-health.ts';
import type { JournalEntry } from '../../../src/log/journal-format.ts';
import { readJournal } from '../../../src/log/journal-replay.ts';
import { offset } from '../../../src/model/ids.ts';
import { simulatedEnv } from '../../simulation/env/simulated-env.ts';
import { orders } from './log-world.ts';

const entry = (partition: number, bytes: number, position = 0): JournalEntry => ({
  kind: 'write',
  topicId: orders,
  partition,
  segmentBase: offset(0),
  position,
  chunks: [new Uint8Array(bytes).fill(partition)],
  bytes,
});

/** A log that is settled when it is told so. */
class User implements JournalUser {
  isAsked = false;
  readonly #settled = Promise.withResolvers<void>();

  settleJournal(): Promise<void> {
    this.isAsked = true;
    return this.#settled.promise;
  }

  settle(): void {
    this.#settled.resolve();
  }
}

function world(maxBytes = 1_000_000) {
  const machine = simulatedEnv({ seed: 1 });
  const { env, scheduler } = machine;
  const failures: Error[] = [];
  const health = new DiskHealth((error) => failures.push(error));
  let commits = 0;
  const stalls: number[] = [];
  const journal = new CommitJournal({ directory: '.', maxBytes, stallMs: 100 }, env, health, {
    onCommit: () => commits++,
    onStall: (ms) => stalls.push(ms),
  });
  return {
    ...{ machine, journal, failures, stalls },
    commits: () => commits,
    run: <T>(promise: Promise<T>) => scheduler.complete(promise),
    parts: () => scheduler.complete(env.files.list('.')),
    /** What a new process finds. */
    found: () => scheduler.complete(readJournal(machine.env.files, '.', journal.point)),
  };
}

const texts = (writes: readonly { readonly bytes: number; readonly position: number }[]) =>
  writes.map(({ bytes, position }) => `${bytes} at ${position}`);

describe('the commit journal', () => {
  it('commits what many ask for in a turn at once, and what comes meanwhile next', async () => {
    const { journal, run, commits, found, machine } = world();
    const first = [1, 2, 3].map((partition) => journal.append(new User(), entry(partition, 10)));
    await run(Promise.all(first));
    expect(commits()).toBe(1);
    await run(Promise.all([journal.append(new User(), entry(1, 5, 10))]));
    expect(commits()).toBe(2);
    machine.crash('power');
    machine.restart();
    const journaled = await found();
    expect(texts(journaled.writesOf({ topicId: orders, partition: 1 }))).toEqual([
      '10 at 0',
      '5 at 10',
    ]);
    expect(journaled.nextNumber).toBe(2);
  });

  it('begins a new part when one is full, settles its logs, and removes it', async () => {
    const { journal, run, parts, machine } = world(1000);
    const [a, b] = [new User(), new User()];
    await run(journal.append(a, entry(1, 600)));
    await run(journal.append(b, entry(2, 50)));
    expect([a.isAsked, b.isAsked]).toEqual([true, false]);
    expect(await parts()).toHaveLength(2);
    expect([journal.holds(a), journal.holds(b)]).toEqual([true, true]);
    a.settle();
    await machine.scheduler.run(machine.scheduler.nowMs + 100);
    expect(await parts()).toEqual(['commit-journal.00000000000000000002']);
    expect([journal.holds(a), journal.holds(b)]).toEqual([false, true]);
  });

  it('has no room while one part is being settled and the other is full', async () => {
    const { journal, run, machine } = world(1000);
    const [a, b] = [new User(), new User()];
    await run(journal.append(a, entry(1, 600)));
    expect(journal.hasRoom).toBe(true);
    await run(journal.append(b, entry(2, 600)));
    expect(journal.hasRoom).toBe(false);
    a.settle();
    await machine.scheduler.run(machine.scheduler.nowMs + 100);
    expect(journal.hasRoom).toBe(true);
  });

  it('never lets a log be forgotten that comes while the part before ends', async () => {
    const { journal, run, machine } = world(1000);
    const [a, b, c] = [new User(), new User(), new User()];
    await run(journal.append(a, entry(1, 600)));
    await run(journal.append(b, entry(2, 600)));
    const late = journal.append(c, entry(3, 10));
    a.settle();
    await run(late);
    await machine.scheduler.run(machine.scheduler.nowMs + 100);
    b.settle();
    await machine.scheduler.run(machine.scheduler.nowMs + 100);
    expect(c.isAsked || journal.holds(c)).toBe(true);
  });

  it('knows no more of a log what was there before it was declared void', async () => {
    const { journal, run, found, machine } = world();
    const user = new User();
    await run(journal.append(user, entry(1, 10)));
    await run(journal.append(user, { kind: 'void', topicId: orders, partition: 1 }));
    await run(journal.append(user, entry(1, 3)));
    machine.crash('power');
    machine.restart();
    const journaled = await found();
    expect(texts(journaled.writesOf({ topicId: orders, partition: 1 }))).toEqual(['3 at 0']);
  });

  it('is gone after a clean stop', async () => {
    const { journal, run, parts } = world();
    await run(journal.append(new User(), entry(1, 10)));
    await run(journal.clear());
    expect(await parts()).toEqual([]);
  });

  it('reports a commit that hangs, once for all that wait for it', async () => {
    const { journal, machine, stalls } = world();
    machine.disk.plan({ operation: 'sync', path: /commit-journal/, isStuck: true });
    for (const partition of [1, 2]) void journal.append(new User(), entry(partition, 10));
    await machine.scheduler.run(machine.scheduler.nowMs + 1000);
    expect(stalls).toEqual([100]);
  });

  it('takes the directory out of service when it cannot be written', async () => {
    const { journal, run, failures, machine } = world();
    machine.disk.plan({ operation: 'sync', path: /commit-journal/, code: 'EIO' });
    await expect(run(journal.append(new User(), entry(1, 10)))).rejects.toThrow('EIO');
    expect(failures).toHaveLength(1);
    await expect(run(journal.append(new User(), entry(1, 10)))).rejects.toThrow('EIO');
  });
});
