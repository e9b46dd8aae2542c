import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type LatencySummary, latencyMetrics } from '../load/latency-summary.ts';
import type { SteadyRun } from '../load/saturation.ts';
import type { Child } from '../run/child.ts';
import { announced, freePort, resultOf, type Workspace } from '../run/workspace.ts';
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
import { installNats, type NatsPrograms } from './nats-install.ts';

/**
 * NATS JetStream: one server, loaded by a Go program on its own client. `no-fsync` is its default
 * (a sync every two minutes) and published by fast ingest; `fsync` is `sync_interval: always` and
 * published in atomic batches of 1,000, which share a sync: each the fastest way in.
 */
export class Nats implements System {
  readonly name = 'nats';
  readonly #workspace: Workspace;
  #programs: NatsPrograms | undefined;

  constructor(workspace: Workspace) {
    this.#workspace = workspace;
  }

  async prepare(): Promise<void> {
    this.#programs = installNats();
  }

  async measure(scenario: Scenario, mode: Mode, seconds: number): Promise<Measurement> {
    if (this.#programs === undefined) throw new Error('prepare() was not called');
    const folder = this.#workspace.makeFolder('nats');
    const bench = new NatsBench(this.#workspace, this.#programs, folder, seconds);
    try {
      switch (scenario.kind) {
        case 'produce':
          return await bench.produce(scenario, mode);
        case 'fetch':
          return await bench.fetch(scenario);
        case 'latency':
          return await bench.latency(scenario, mode);
        case 'startup':
          return await bench.startup(scenario);
      }
    } finally {
      this.#workspace.removeFolder(folder);
    }
  }
}

/** One measurement: servers come and go within its methods. */
class NatsBench {
  readonly #workspace: Workspace;
  readonly #programs: NatsPrograms;
  readonly #folder: string;
  readonly #seconds: number;

  constructor(workspace: Workspace, programs: NatsPrograms, folder: string, seconds: number) {
    this.#workspace = workspace;
    this.#programs = programs;
    this.#folder = folder;
    this.#seconds = seconds;
  }

  async produce(scenario: ProduceScenario, mode: Mode): Promise<Measurement> {
    const { recordBytes, outstandingRecords } = scenario;
    const publish = mode === 'fsync' ? 'atomic' : 'fast';
    return await this.#withServer(mode, async (url) => {
      const job = { url, recordBytes, outstandingRecords, publish };
      const run = await this.#work<SteadyRun>('produce', job);
      return throughput(run.records, recordBytes, run.seconds);
    });
  }

  async fetch(scenario: FetchScenario): Promise<Measurement> {
    const { recordBytes, records } = scenario;
    return await this.#withServer('default', async (url) => {
      const job = { url, recordBytes, records, publish: 'fast', outstandingRecords: 8_192 };
      await this.#work<SteadyRun>('fill', job);
      const run = await this.#work<SteadyRun>('fetch', job);
      return throughput(run.records, recordBytes, run.seconds);
    });
  }

  async latency(scenario: LatencyScenario, mode: Mode): Promise<Measurement> {
    const { recordBytes, ratePerSecond } = scenario;
    return await this.#withServer(mode, async (url) => {
      const job = { url, recordBytes, ratePerSecond };
      const { ack, endToEnd } = await this.#work<Latencies>('latency', job);
      const metrics = [...latencyMetrics('ack', ack), ...latencyMetrics('end_to_end', endToEnd)];
      return { metrics, records: endToEnd.count, seconds: this.#seconds };
    });
  }

  /** The client is already there and asks every millisecond for the server. */
  async startup(scenario: StartupScenario): Promise<Measurement> {
    const times: number[] = [];
    for (let i = 0; i < scenario.repetitions; i++) {
      const port = await freePort();
      const client = this.#startLoad('first', { url: `nats://127.0.0.1:${port}` });
      await client.seek(announced('waiting'));
      const startMs = performance.now();
      const server = this.#startServer('default', port);
      try {
        await client.seek(announced('result'));
        times.push(performance.now() - startMs);
      } finally {
        await server.stop();
      }
    }
    return startup(times);
  }

  async #withServer<T>(mode: Mode, use: (url: string) => Promise<T>): Promise<T> {
    const port = await freePort();
    const server = this.#startServer(mode, port);
    try {
      await server.seek((line) => line.includes('Server is ready') || undefined);
      return await use(`nats://127.0.0.1:${port}`);
    } finally {
      await server.stop();
    }
  }

  #startServer(mode: Mode, port: number): Child {
    const config = join(this.#folder, `${port}.conf`);
    const data = JSON.stringify(join(this.#folder, `${port}`));
    const sync = mode === 'fsync' ? 'always' : '"2m"';
    writeFileSync(
      config,
      `listen: "127.0.0.1:${port}"\njetstream { store_dir: ${data}, sync_interval: ${sync} }\n`,
    );
    return this.#workspace.start({
      name: 'nats-server',
      file: this.#programs.server,
      args: ['-c', config],
      deadlineMs: this.#deadlineMs,
    });
  }

  async #work<Result>(work: string, job: object): Promise<Result> {
    return resultOf<Result>(await this.#startLoad(work, job).output());
  }

  #startLoad(work: string, job: object): Child {
    const timed = { ...job, work, warmupSeconds: WARMUP_SECONDS, seconds: this.#seconds };
    return this.#workspace.start({
      name: `NATS load (${work})`,
      file: this.#programs.load,
      args: [JSON.stringify(timed)],
      deadlineMs: this.#deadlineMs,
    });
  }

  /** Far more than a run needs, filling included: reached only by one that hangs. */
  get #deadlineMs(): number {
    return 2 * (WARMUP_SECONDS + this.#seconds) * 1_000 + 120_000;
  }
}

interface Latencies {
  readonly ack: LatencySummary;
  readonly endToEnd: LatencySummary;
}
