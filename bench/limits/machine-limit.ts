import { join } from 'node:path';
import { latencyMetrics } from '../load/latency-summary.ts';
import { announced, type Workspace } from '../run/workspace.ts';
import {
  type FetchScenario,
  type LatencyScenario,
  type Mode,
  type ProduceScenario,
  type Scenario,
  type StartupScenario,
  WARMUP_SECONDS,
} from '../scenarios.ts';
import { type Measurement, type System, startup, throughput } from '../system.ts';
import type { Listening } from './connection.ts';
import type { FetchLimitJob, FetchLimitResult } from './fetch-load.ts';
import type { FileServerJob } from './file-server.ts';
import type { LatencyLimitJob, LatencyLimitResult } from './latency-load.ts';
import type { ProduceLimitJob, ProduceLimitResult } from './produce-load.ts';
import type { SinkJob } from './sink.ts';

/**
 * What Node on this machine can do at most: the same bytes over the same path, between two
 * processes on loopback, with nothing of a broker in between.
 */
export class MachineLimit implements System {
  readonly name = 'limit';
  readonly #workspace: Workspace;

  constructor(workspace: Workspace) {
    this.#workspace = workspace;
  }

  async prepare(): Promise<void> {}

  async measure(scenario: Scenario, mode: Mode, seconds: number): Promise<Measurement> {
    switch (scenario.kind) {
      case 'produce':
        return await this.#produce(scenario, mode, seconds);
      case 'fetch':
        return await this.#fetch(scenario, seconds);
      case 'latency':
        return await this.#latency(scenario, mode, seconds);
      case 'startup':
        return await this.#startup(scenario);
    }
  }

  async #produce(scenario: ProduceScenario, mode: Mode, seconds: number): Promise<Measurement> {
    return await this.#withSink(mode, seconds, async (port) => {
      const job: ProduceLimitJob = { port, warmupSeconds: PIPE_WARMUP_SECONDS, seconds };
      const script = new URL('./produce-load.ts', import.meta.url);
      const result = await this.#workspace.work<ProduceLimitResult>(
        script,
        job,
        deadlineMs(seconds),
      );
      const records = Math.round(result.bytes / scenario.recordBytes);
      return throughput(records, scenario.recordBytes, result.seconds);
    });
  }

  async #latency(scenario: LatencyScenario, mode: Mode, seconds: number): Promise<Measurement> {
    return await this.#withSink(mode, seconds, async (port) => {
      const { recordBytes, ratePerSecond } = scenario;
      const warmupSeconds = WARMUP_SECONDS;
      const job: LatencyLimitJob = { port, recordBytes, ratePerSecond, warmupSeconds, seconds };
      const script = new URL('./latency-load.ts', import.meta.url);
      const { roundTrip } = await this.#workspace.work<LatencyLimitResult>(
        script,
        job,
        deadlineMs(seconds),
      );
      // One round trip bounds both: a record is neither acknowledged nor delivered before it is
      // written (and synced) and a message came back.
      const metrics = [
        ...latencyMetrics('ack', roundTrip),
        ...latencyMetrics('end_to_end', roundTrip),
      ];
      return { metrics, records: roundTrip.count, seconds };
    });
  }

  async #fetch(scenario: FetchScenario, seconds: number): Promise<Measurement> {
    const folder = this.#workspace.makeFolder('limit');
    const bytes = scenario.records * scenario.recordBytes;
    const serverJob: FileServerJob = { file: join(folder, 'data'), bytes };
    const script = new URL('./file-server.ts', import.meta.url);
    const server = this.#workspace.startScript(script, serverJob, deadlineMs(seconds));
    try {
      const { port } = await server.seek(announced<Listening>('ready'));
      const { recordBytes } = scenario;
      const job: FetchLimitJob = { port, recordBytes, warmupSeconds: WARMUP_SECONDS, seconds };
      const result = await this.#workspace.work<FetchLimitResult>(
        new URL('./fetch-load.ts', import.meta.url),
        job,
        deadlineMs(seconds),
      );
      return throughput(result.bytes / recordBytes, recordBytes, result.seconds);
    } finally {
      await server.stop();
      this.#workspace.removeFolder(folder);
    }
  }

  async #startup(scenario: StartupScenario): Promise<Measurement> {
    const times: number[] = [];
    for (let i = 0; i < scenario.repetitions; i++) {
      const startMs = performance.now();
      const args = ['-e', '0'];
      const node = this.#workspace.start({
        name: 'node -e 0',
        file: process.execPath,
        args,
        deadlineMs: deadlineMs(0),
      });
      await node.output();
      times.push(performance.now() - startMs);
    }
    return startup(times);
  }

  async #withSink(
    mode: Mode,
    seconds: number,
    use: (port: number) => Promise<Measurement>,
  ): Promise<Measurement> {
    const folder = this.#workspace.makeFolder('limit');
    const job: SinkJob = { file: join(folder, 'data'), sync: mode === 'fsync' };
    const script = new URL('./sink.ts', import.meta.url);
    const sink = this.#workspace.startScript(script, job, deadlineMs(seconds));
    try {
      const { port } = await sink.seek(announced<Listening>('ready'));
      return await use(port);
    } finally {
      await sink.stop();
      this.#workspace.removeFolder(folder);
    }
  }
}

/** A pipe is warm at once, and what it writes before the timed part tires the disk. */
const PIPE_WARMUP_SECONDS = 1;

/** Far more than a run needs: reached only by one that hangs. */
function deadlineMs(seconds: number): number {
  return (WARMUP_SECONDS + seconds) * 1_000 + 60_000;
}
