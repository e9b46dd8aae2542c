import { describe, expect, it } from 'vitest';
import { DiskHealth } from '../../../src/log/disk-health.ts';
import { decodeMarks, type LogMark, NO_INDEX } from '../../../src/log/durable-marks.ts';
import { NO_JOURNAL } from '../../../src/log/journal-format.ts';
import { MarksFile } from '../../../src/log/marks-file.ts';
import { offset } from '../../../src/model/ids.ts';
import { simulatedEnv } from '../../simulation/env/simulated-env.ts';
import { orders, topicPartition } from './log-world.ts';

function world() {
  const machine = simulatedEnv({ seed: 1 });
  const { env, scheduler } = machine;
  const failures: Error[] = [];
  const state = { endOffset: 1, prepared: 0 };
  const logs = (): LogMark[] => [
    {
      topicPartition,
      topicId: orders,
      logStartOffset: offset(0),
      endOffset: offset(state.endOffset),
      segmentBase: offset(0),
      position: 0,
      finishedBefore: offset(0),
      index: NO_INDEX,
      isClean: false,
      segmentCount: 1,
      totalBytes: 0,
      epochs: [],
    },
  ];
  const prepare = async (): Promise<void> => {
    state.prepared++;
  };
  const health = new DiskHealth((error) => failures.push(error));
  const marks = new MarksFile({ directory: '.', intervalMs: 1000 }, env, health, {
    prepare,
    collect: () => ({ logs: logs(), journal: NO_JOURNAL }),
  });
  const onDisk = async (): Promise<number | undefined> => {
    const { files } = machine.env;
    if ((await scheduler.complete(files.stat('durable-marks'))) === undefined) return undefined;
    const bytes = await scheduler.complete(files.readFile('durable-marks'));
    return decodeMarks(bytes).logs.get('orders-0')?.endOffset;
  };
  return { machine, scheduler, marks, state, failures, onDisk };
}

describe('the marks file', () => {
  it('is written within the interval after a change, once for many', async () => {
    const { scheduler, marks, state, onDisk } = world();
    marks.changed();
    await scheduler.run(500);
    state.endOffset = 2;
    marks.changed();
    expect(await onDisk()).toBe(undefined);
    await scheduler.run(1100);
    expect(await onDisk()).toBe(2);
    await scheduler.run(9000);
    expect(state.prepared).toBe(1);
  });

  it('is durable when a save resolves, also if another was under way with older marks', async () => {
    const { machine, scheduler, marks, state, onDisk } = world();
    const first = marks.save();
    await scheduler.run(0.05);
    state.endOffset = 2;
    const second = marks.save();
    expect(second).not.toBe(first);
    await scheduler.complete(second);
    machine.crash('power');
    machine.restart();
    expect(await onDisk()).toBe(2);
  });

  it('takes the directory out of service when it cannot be written', async () => {
    const { machine, scheduler, marks, failures } = world();
    machine.disk.plan({ operation: 'sync', path: /durable-marks/, code: 'EIO' });
    await expect(scheduler.complete(marks.save())).rejects.toThrow('EIO');
    expect(failures.length).toBe(1);
    await expect(scheduler.complete(marks.save())).rejects.toThrow('out of service');
  });
});
