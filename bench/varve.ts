import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Client } from '../src/client/main.ts';
import type { FetchJob, FetchResult } from './load/fetch.ts';
import type { LatencyJob, LatencyResult } from './load/latency.ts';
import { latencyMetrics } from './load/latency-summary.ts';
import type { ProduceJob } from './load/produce.ts';
import type { SteadyRun } from './load/saturation.ts';
import { announced, type Workspace } from './run/workspace.ts';
import {
  type FetchScenario,
  type LatencyScenario,
  type Mode,
  type ProduceScenario,
  type Scenario,
  type StartupScenario,
  WARMUP_SECONDS,
} from './scenarios.ts';
import { type Measurement, type System, startup, throughput } from './system.ts';

/** The broker of this tree: a process of its own, used by load processes through the client. */
export class Varve implements System {
  readonly name = 'varve';
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
    return await this.#withTopic(mode, seconds, async (broker) => {
      const { recordBytes, outstandingRecords } = scenario;
      const until = { warmupSeconds: WARMUP_SECONDS, seconds };
      const job: ProduceJob = { broker, topic: TOPIC, recordBytes, outstandingRecords, until };
      const run = await this.#work<SteadyRun>('produce', job, seconds);
      return throughput(run.records, recordBytes, run.seconds);
    });
  }

  async #fetch(scenario: FetchScenario, seconds: number): Promise<Measurement> {
    return await this.#withTopic('default', seconds, async (broker) => {
      const { recordBytes, records } = scenario;
      const fill: ProduceJob = {
        broker,
        topic: TOPIC,
        recordBytes,
        outstandingRecords: FILL_OUTSTANDING_RECORDS,
        until: { records },
      };
      await this.#work<SteadyRun>('produce', fill, seconds);
      const job: FetchJob = { broker, topic: TOPIC, warmupSeconds: WARMUP_SECONDS, seconds };
      const run = await this.#work<FetchResult>('fetch', job, seconds);
      return throughput(run.records, recordBytes, run.seconds);
    });
  }

  async #latency(scenario: LatencyScenario, mode: Mode, seconds: number): Promise<Measurement> {
    return await this.#withTopic(mode, seconds, async (broker) => {
      const { recordBytes, ratePerSecond } = scenario;
      const job: LatencyJob = {
        broker,
        topic: TOPIC,
        recordBytes,
        ratePerSecond,
        warmupSeconds: WARMUP_SECONDS,
        seconds,
      };
      const { ack, endToEnd } = await this.#work<LatencyResult>('latency', job, seconds);
      const metrics = [...latencyMetrics('ack', ack), ...latencyMetrics('end_to_end', endToEnd)];
      return { metrics, records: endToEnd.count, seconds };
    });
  }

  async #startup(scenario: StartupScenario): Promise<Measurement> {
    // Loaded before the clock starts: the client of a started broker is already there.
    const { connect } = await import('../src/client/main.ts');
    const times: number[] = [];
    for (let i = 0; i < scenario.repetitions; i++) {
      const startMs = performance.now();
      await this.#withBroker(0, async (broker) => {
        await using client = await connect({ brokers: [broker] });
        await createTopic(client, 'default');
        await using producer = client.producer({ lingerMs: 0 });
        await producer.send({ topic: TOPIC, value: new Uint8Array(100) });
        times.push(performance.now() - startMs);
      });
    }
    return startup(times);
  }

  async #withTopic(
    mode: Mode,
    seconds: number,
    use: (broker: string) => Promise<Measurement>,
  ): Promise<Measurement> {
    const { connect } = await import('../src/client/main.ts');
    return await this.#withBroker(seconds, async (broker) => {
      await using client = await connect({ brokers: [broker] });
      await createTopic(client, mode);
      return await use(broker);
    });
  }

  /** Runs a broker on an empty folder with its settings as they come. */
  async #withBroker<T>(seconds: number, use: (broker: string) => Promise<T>): Promise<T> {
    const folder = this.#workspace.makeFolder('varve');
    const args = ['start', '--data-dir', join(folder, 'data')];
    const listeners = ['--grpc', '127.0.0.1:0', '--http', '127.0.0.1:0', '--json'];
    const server = this.#workspace.startNode({
      name: 'varve start',
      role: 'broker',
      args: [CLI, ...args, ...listeners],
      deadlineMs: deadlineMs(seconds),
    });
    try {
      const { grpc } = await server.seek(announced<{ readonly grpc: string }>('ready'));
      return await use(grpc);
    } finally {
      await server.stop();
      this.#workspace.removeFolder(folder);
    }
  }

  async #work<Result>(load: string, job: object, seconds: number): Promise<Result> {
    const script = new URL(`./load/${load}.ts`, import.meta.url);
    return await this.#workspace.work<Result>(script, job, deadlineMs(seconds));
  }
}

/** One partition; `durability` is the setting that decides whether an answer waits for an fsync. */
async function createTopic(client: Client, mode: Mode): Promise<void> {
  const configs: Record<string, string> = mode === 'no-fsync' ? { durability: 'replicated' } : {};
  await client.admin().createTopic({ name: TOPIC, partitionCount: 1, configs });
}

const TOPIC = 'bench';
const CLI = fileURLToPath(new URL('../src/cli/main.ts', import.meta.url));
const FILL_OUTSTANDING_RECORDS = 8_192;

/** Far more than a run needs, filling a topic included: reached only by one that hangs. */
function deadlineMs(seconds: number): number {
  return 2 * (WARMUP_SECONDS + seconds) * 1_000 + 120_000;
}
