import { describe, expect, it } from 'vitest';
import { FOLDER, LogWorld, makeBatch } from './log-world.ts';

const segment = (at: number): string => `${FOLDER}/${String(at).padStart(20, '0')}.log`;

/** What is synced, in order, with its stack's own line left out. */
function traceSyncs(world: LogWorld): string[] {
  const trace: string[] = [];
  world.machine.disk.onSync = (kind, path) => {
    trace.push(`${kind} ${path}`);
    return undefined;
  };
  return trace;
}

async function firstFlush(seed: number): Promise<{ world: LogWorld; trace: string[] }> {
  const world = new LogWorld(seed);
  await world.start();
  const trace = traceSyncs(world);
  await world.appendDurably(makeBatch());
  return { world, trace };
}

describe('the files of a log', () => {
  it('are made durable from the folder down before the first record counts', async () => {
    const { trace } = await firstFlush(1);
    expect(trace).toEqual([
      `file ${FOLDER}/partition.metadata.tmp`,
      `directory ${FOLDER}`,
      'directory data',
      `directory ${FOLDER}`,
      `file ${segment(0)}`,
    ]);
  });

  it('cost one fsync a flush from then on', async () => {
    const { world, trace } = await firstFlush(1);
    trace.length = 0;
    await world.appendDurably(makeBatch());
    expect(trace).toEqual([`file ${segment(0)}`]);
  });

  it('are closed in order: old bytes, new name, new bytes; then what can be derived', async () => {
    const { world, trace } = await firstFlush(1);
    trace.length = 0;
    world.append(makeBatch());
    world.log.roll();
    world.append(makeBatch());
    await world.settle(200);
    expect(trace.slice(0, 3)).toEqual([
      `file ${segment(0)}`,
      `directory ${FOLDER}`,
      `file ${segment(2)}`,
    ]);
    expect(trace).toContain(`file ${segment(0).replace('.log', '.index')}`);
    expect(trace.filter((line) => line.includes('.producers'))).toEqual([
      `file ${FOLDER}/00000000000000000002.producers.tmp`,
    ]);
  });

  it('of a replicated topic are fsynced only when a segment is closed', async () => {
    const world = new LogWorld(1);
    world.topicConfig = { ...world.topicConfig, durability: 'replicated' };
    await world.start();
    await world.appendDurably(makeBatch());
    const trace = traceSyncs(world);
    await world.appendDurably(makeBatch());
    expect(trace).toEqual([]);
    world.log.roll();
    await world.appendDurably(makeBatch());
    await world.settle(100);
    expect(trace.filter((line) => line.endsWith('.log'))).toEqual([`file ${segment(0)}`]);
  });
});
