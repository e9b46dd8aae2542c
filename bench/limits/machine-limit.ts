import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sleep } from '../load/clock.ts';
import { latencyMetrics } from '../load/latency-summary.ts';
import { residentBytes } from '../run/resident.ts';
import { announced, type Workspace } from '../run/workspace.ts';
import type {
  FetchScenario,
  LatencyScenario,
  ProduceScenario,
  StartupScenario,
} from '../scenario.ts';
import {
  type Measurement,
  type Measures,
  type Run,
  type System,
  startup,
  throughput,
} from '../system.ts';
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
  readonly measures: Measures = {
    produce: (scenario, run) => this.#produce(scenario, run),
    fetch: (scenario, run) => this.#fetch(scenario, run),
    latency: (scenario, run) => this.#latency(scenario, run),
    startup: (scenario) => this.#startup(scenario),
    memory: () => this.#memory(),
  };
  readonly #workspace: Workspace;

  constructor(workspace: Workspace) {
    this.#workspace = workspace;
  }

  async prepare(): Promise<void> {}

  async #produce(scenario: ProduceScenario, run: Run): Promise<Measurement> {
    const { seconds } = run;
    return await this.#withSink(run, async (port) => {
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

  async #latency(scenario: LatencyScenario, run: Run): Promise<Measurement> {
    const { seconds } = run;
    return await this.#withSink(run, async (port) => {
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

  async #fetch(scenario: FetchScenario, { seconds }: Run): Promise<Measurement> {
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

  /** Node alone, and Node with the packages of the broker loaded: what no broker here can be below. */
  async #memory(): Promise<Measurement> {
    const manifest = new URL('../../package.json', import.meta.url);
    const { dependencies } = JSON.parse(readFileSync(manifest, 'utf8')) as {
      readonly dependencies: Readonly<Record<string, string>>;
    };
    const names = Object.keys(dependencies);
    const imports = `await Promise.all(${JSON.stringify(names)}.map((name) => import(name)));`;
    const [bare, loaded] = [await this.#resident(''), await this.#resident(imports)];
    return {
      metrics: [
        { name: 'idle_rss', value: bare / 1e6, unit: 'MB' },
        { name: 'packages_rss', value: loaded / 1e6, unit: 'MB' },
      ],
      records: 0,
      seconds: 0,
    };
  }

  async #resident(source: string): Promise<number> {
    const script = `${source} setInterval(() => {}, 1e6); console.log('ready');`;
    const node = this.#workspace.start({
      name: 'node',
      file: process.execPath,
      args: ['--input-type=module', '-e', script],
      cwd: fileURLToPath(new URL('../..', import.meta.url)),
      deadlineMs: deadlineMs(0),
    });
    await node.seek((line) => line === 'ready' || undefined);
    await sleep(SETTLING_MS);
    const bytes = residentBytes(node.pid);
    await node.stop();
    return bytes;
  }

  async #withSink(
    { mode, seconds }: Run,
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

const WARMUP_SECONDS = 3;

/** A pipe is warm at once, and what it writes before the timed part tires the disk. */
const PIPE_WARMUP_SECONDS = 1;

/** What was needed for the start is freed by then. */
const SETTLING_MS = 2_000;

/** Far more than a run needs: reached only by one that hangs. */
function deadlineMs(seconds: number): number {
  return (WARMUP_SECONDS + seconds) * 1_000 + 60_000;
}
