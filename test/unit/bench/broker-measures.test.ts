import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { brokerMeasures, type Driver } from '../../../bench/broker-measures.ts';
import type { LoadJob } from '../../../bench/load/job.ts';
import { Workspace } from '../../../bench/run/workspace.ts';
import type { Mode, Scenario } from '../../../bench/scenario.ts';
import { scenarios } from '../../../bench/scenarios.ts';
import { measure } from '../../../bench/system.ts';

const SERVER = `console.log('serving'); setInterval(() => {}, 1e6)`;

const latency = { count: 50, mean: 2, p50: 1, p99: 9 };
const results: Record<string, object> = {
  produce: { records: 4_000, seconds: 2 },
  fill: { records: 1, seconds: 1 },
  fetch: { records: 8_000, seconds: 2 },
  latency: { ack: latency, endToEnd: { ...latency, p50: 3 } },
  first: {},
};

/** A system of scripts that do nothing, and what it was asked for. */
function fakeSystem() {
  const workspace = new Workspace();
  onTestFinished(() => workspace.close());
  const jobs: LoadJob[] = [];
  const starts: { folder: string; mode: Mode; hadData: boolean }[] = [];
  const run = (name: string, source: string, deadlineMs: number) =>
    workspace.start({ name, file: process.execPath, args: ['-e', source], deadlineMs });
  const driver: Driver = {
    warmupSeconds: 3,
    format: async ({ folder }) => writeFileSync(join(folder, 'formatted'), ''),
    startServer: ({ folder, mode, deadlineMs }) => {
      readFileSync(join(folder, 'formatted'));
      starts.push({ folder, mode, hadData: existsSync(join(folder, 'data')) });
      writeFileSync(join(folder, 'data'), '');
      return run('server', SERVER, deadlineMs);
    },
    isReady: (line) => line === 'serving',
    startLoad: (job, deadlineMs) => {
      jobs.push(job);
      const result = JSON.stringify({ event: 'result', ...results[job.work] });
      const lines = `console.log('{"event":"waiting"}'); console.log(${JSON.stringify(result)})`;
      return run('load', lines, deadlineMs);
    },
  };
  const measures = brokerMeasures(workspace, () => driver);
  const system = { name: 'varve', measures, prepare: async () => {} } as const;
  const measured = (name: string, mode: Mode) => {
    const scenario: Scenario = scenarios.find((one) => one.name === name)!;
    return measure(system, scenario, { mode, seconds: 7 });
  };
  return { jobs, starts, measured };
}

describe('what brokers are put through', () => {
  test('a produce load is told all of the scenario, and its rate is taken', async () => {
    const { jobs, starts, measured } = fakeSystem();
    const { metrics } = await measured('produce-p10', 'no-fsync');
    expect(metrics[0]).toEqual({ name: 'throughput', value: 2_000, unit: 'records/s' });
    expect(jobs).toHaveLength(1);
    expect(jobs[0]).toMatchObject({
      work: 'produce',
      mode: 'no-fsync',
      partitions: 10,
      seconds: 7,
    });
    expect(starts).toMatchObject([{ mode: 'no-fsync', hadData: false }]);
    expect(existsSync(starts[0]!.folder)).toBe(false);
  });

  test('a fetch load comes after one client has filled the topic', async () => {
    const { jobs, measured } = fakeSystem();
    await measured('fetch-c50-batches', 'default');
    expect(jobs).toMatchObject([
      { work: 'fill', clients: 1, records: 20_000 },
      { work: 'fetch', clients: 50, records: 20_000, by: 'batch' },
    ]);
  });

  test('what fills a topic with large records keeps few of them in memory', async () => {
    const { jobs, measured } = fakeSystem();
    await measured('fetch-1m', 'default');
    expect(jobs[0]).toMatchObject({ work: 'fill', outstandingRecords: 16 });
  });

  test('catching up is told beside the latencies of the live records', async () => {
    const { measured } = fakeSystem();
    const { metrics } = await measured('catch-up', 'fsync');
    expect(metrics).toContainEqual({ name: 'throughput', value: 4_000, unit: 'records/s' });
    expect(metrics).toContainEqual({ name: 'end_to_end_p50', value: 3, unit: 'ms' });
    expect(metrics).toContainEqual({ name: 'ack_p50', value: 1, unit: 'ms' });
  });

  test('every start-up is on an empty folder', async () => {
    const { starts, measured } = fakeSystem();
    expect((await measured('startup', 'default')).records).toBe(5);
    expect(starts.map(({ hadData }) => hadData)).toEqual([false, false, false, false, false]);
  });

  test.each(['restart-clean', 'restart-kill'])(
    '%s starts twice on the same folder',
    async (name) => {
      const { jobs, starts, measured } = fakeSystem();
      await measured(name, 'default');
      expect(starts.map(({ hadData }) => hadData)).toEqual([false, true]);
      expect(jobs.map(({ work }) => work)).toEqual(['fill', 'first']);
      expect(jobs[0]!.server).toBe(jobs[1]!.server);
    },
  );
});
