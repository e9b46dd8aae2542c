import { describe, expect, it } from 'vitest';
import type { File, FileSystem } from '../../../src/env/ports.ts';
import { RecoveryProgress, type RecoveryState } from '../../../src/log/recovery-progress.ts';
import { FOLDER, LogWorld, makeBatch } from './log-world.ts';

/** How many bytes of each file are read through the file system from now on. */
function countReads(files: FileSystem): { files: FileSystem; bytes: Map<string, number> } {
  const bytes = new Map<string, number>();
  const open: FileSystem['open'] = async (path, mode) => {
    const file = await files.open(path, mode);
    const read: File['read'] = async (position, length) => {
      const content = await file.read(position, length);
      bytes.set(path, (bytes.get(path) ?? 0) + content.length);
      return content;
    };
    return {
      ...{ path, read, size: () => file.size(), sync: () => file.sync() },
      ...{ write: file.write.bind(file), truncate: file.truncate.bind(file) },
      close: () => file.close(),
    };
  };
  const counting: FileSystem = {
    open,
    readFile: (path) => files.readFile(path),
    list: (path) => files.list(path),
    stat: (path) => files.stat(path),
    makeDirectory: (path) => files.makeDirectory(path),
    rename: (from, to) => files.rename(from, to),
    removeFile: (path) => files.removeFile(path),
    removeDirectory: (path) => files.removeDirectory(path),
    syncDirectory: (path) => files.syncDirectory(path),
  };
  return { files: counting, bytes };
}

const HEADER_BYTES = 61;
const SNAPSHOT_BYTES = 1000;

/** Opens the directory again; how many bytes of the segments were read, by file. */
async function reopen(world: LogWorld): Promise<Map<string, number>> {
  const { files, bytes } = countReads(world.env.files);
  world.env = { ...world.env, files };
  await world.open();
  return bytes;
}

async function fill(batches: number): Promise<LogWorld> {
  const world = new LogWorld(8);
  world.config = { ...world.config, producerSnapshotBytes: SNAPSHOT_BYTES };
  await world.start();
  for (let i = 0; i < batches; i++) {
    await world.appendDurably(makeBatch({ count: 2, valueBytes: 60, tag: i }));
    await world.settle(100);
  }
  // The marks are written within a second.
  await world.settle(2000);
  expect(world.log.segmentCount).toBeGreaterThan(2);
  return world;
}

const active = async (world: LogWorld): Promise<string> =>
  `${FOLDER}/${(await world.names()).filter((name) => name.endsWith('.log')).at(-1)}`;

describe('a start', () => {
  it('after a clean stop reads no batch', async () => {
    const world = await fill(60);
    await world.run(world.directory.close());
    world.crash('power');
    expect([...(await reopen(world))]).toEqual([[await active(world), HEADER_BYTES]]);
  });

  it('after a crash reads what may not be flushed, and for producers what follows their snapshot', async () => {
    // With the later ones the active segment was closed after the last mark.
    for (const [batches, files] of [
      [56, 1],
      [60, 2],
    ] as const) {
      const world = await fill(batches);
      const markedBytes = world.log.sizeInBytes;
      for (let i = 0; i < 3; i++) await world.appendDurably(makeBatch({ valueBytes: 60 }));
      const unmarkedBytes = world.log.sizeInBytes - markedBytes;
      world.crash('process');
      const reads = await reopen(world);
      expect(reads.size).toBe(files);
      const readBytes = [...reads.values()].reduce((sum, bytes) => sum + bytes) - HEADER_BYTES;
      expect(readBytes).toBeGreaterThan(unmarkedBytes);
      // Index entries and snapshots are some batches apart.
      const { indexIntervalBytes } = world.topicConfig;
      const mostBytes = unmarkedBytes + SNAPSHOT_BYTES + indexIntervalBytes + 3 * 250;
      expect(readBytes).toBeLessThan(mostBytes);
      expect(world.log.sizeInBytes).toBeGreaterThan(3 * mostBytes);
      const opened = world.reports.findLast(({ message }) => message.startsWith('opened'));
      expect(opened?.fields['scannedBytes']).toBe(readBytes);
    }
  });
});

it('the progress of a recovery is told at every step, and in a line at most once a second', () => {
  const states: RecoveryState[] = [];
  const lines: object[] = [];
  const info = (fields: object): number => lines.push(fields);
  let nowMs = 0;
  const clock = { monotonicMs: () => nowMs, wallMs: () => 0 };
  const reporter = { info, warn: info, error: info };
  const progress = new RecoveryProgress(5, clock, reporter, (state) => states.push(state));
  for (let i = 0; i < 5; i++) {
    nowMs += 400;
    progress.scanned(1000);
    progress.partitionDone();
  }
  expect(states).toHaveLength(11);
  expect(states[0]).toEqual({ partitions: 5, partitionsDone: 0, scannedBytes: 0 });
  expect(progress.state).toEqual({ partitions: 5, partitionsDone: 5, scannedBytes: 5000 });
  expect(lines).toEqual([{ partitions: 5, partitionsDone: 2, scannedBytes: 3000 }]);
});
