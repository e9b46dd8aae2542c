import { describe, expect, it } from 'vitest';
import type { Log } from '../../../src/log/log.ts';
import { type HandleHolder, WriteHandles } from '../../../src/log/write-handles.ts';
import { countOpen } from './count-open.ts';
import { epoch0, LogWorld, makeBatch, orders } from './log-world.ts';

class Holder implements HandleHolder {
  isBusy = false;
  wasLetGo = 0;

  letGo(): Promise<void> {
    this.wasLetGo++;
    return Promise.resolve();
  }
}

function fourOf(limit: number): { handles: WriteHandles; holders: Holder[]; gone(): number[] } {
  const handles = new WriteHandles(limit);
  const holders = [0, 1, 2, 3].map(() => new Holder());
  return { handles, holders, gone: () => holders.map(({ wasLetGo }) => wasLetGo) };
}

/** What a holder does, who is at work meanwhile. */
async function open(handles: WriteHandles, holder: Holder): Promise<void> {
  holder.isBusy = true;
  await handles.makeRoom();
  handles.used(holder);
  holder.isBusy = false;
}

describe('files that are open for writing', () => {
  it('are let go beyond the limit, the least recently used first', async () => {
    const { handles, holders, gone } = fourOf(2);
    const [first, second, third, last] = holders as [Holder, Holder, Holder, Holder];
    for (const holder of [first, second]) await open(handles, holder);
    handles.used(first);
    await open(handles, third);
    expect(gone()).toEqual([0, 1, 0, 0]);
    handles.closed(first);
    await open(handles, last);
    expect(gone()).toEqual([0, 1, 0, 0]);
    expect(handles.openCount).toBe(2);
  });

  it('stay open while they are at work, also if that begins only before their turn', async () => {
    const { handles, holders, gone } = fourOf(1);
    const [first, second, third, last] = holders as [Holder, Holder, Holder, Holder];
    for (const holder of [first, second, third]) handles.used(holder);
    first.isBusy = true;
    const opened = open(handles, last);
    third.isBusy = true;
    await opened;
    expect(gone()).toEqual([0, 1, 0, 0]);
    expect(handles.openCount).toBe(3);
  });

  it('are forgotten when their log closes before their turn, however busy it is with that', async () => {
    const { handles, holders, gone } = fourOf(1);
    const [first, second] = holders as [Holder, Holder];
    handles.used(first);
    const opened = open(handles, second);
    first.isBusy = true;
    handles.closed(first);
    await opened;
    expect(handles.openCount).toBe(1);
    // A later turn does not come back to it either.
    first.isBusy = false;
    await open(handles, second);
    expect(gone()[0]).toBe(0);
  });
});

/** Logs of as many partitions, on a world that keeps at most two open for writing. */
async function manyLogs(
  world: LogWorld,
  count: number,
): Promise<{ logs: Log[]; open: { open: number; opened: number } }> {
  world.config = { ...world.config, openWritersMax: 2 };
  const open = countOpen(world.env.files);
  await world.start();
  const logs = Array.from({ length: count }, (_, partition) =>
    world.directory.openLog({ topic: 'many', partition }, orders, world.topicConfig),
  );
  return { logs, open };
}

async function appendTo(world: LogWorld, log: Log): Promise<void> {
  const end = log.logEndOffset;
  log.append(makeBatch({ tag: end }), epoch0, 'client');
  await world.machine.scheduler.run(() => log.flushedOffset > end);
}

describe.each(['durable', 'replicated'] as const)('the logs of %s topics', (durability) => {
  it('keep no more files open than they may, and lose nothing by it', async () => {
    const world = new LogWorld(4);
    world.topicConfig = { ...world.topicConfig, durability };
    const { logs, open } = await manyLogs(world, 6);
    for (let round = 0; round < 3; round++) {
      for (const log of logs) await appendTo(world, log);
    }
    await world.settle(100);
    expect(open.open).toBe(2);
    // What was closed was synced before, whatever the topic asks for.
    await world.crashAndOpen('power');
    const ends = [...world.directory.logs()].map(({ logEndOffset }) => logEndOffset);
    expect(ends.filter((end) => end === 3).length).toBeGreaterThanOrEqual(4);
    expect(world.failures).toEqual([]);
  });
});

it('the file of a log that is written to again and again is opened once', async () => {
  const world = new LogWorld(4);
  const { logs, open } = await manyLogs(world, 2);
  for (const log of logs) await appendTo(world, log);
  const { opened } = open;
  for (let round = 0; round < 5; round++) {
    for (const log of logs) await appendTo(world, log);
  }
  expect(open.opened).toBe(opened);
});
