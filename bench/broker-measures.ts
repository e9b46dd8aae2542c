import type { ActiveResult, ConnectionsJob } from './load/connections.ts';
import type { LoadJob, Work } from './load/job.ts';
import { type LatencySummary, latencyMetrics } from './load/latency-summary.ts';
import type { SteadyRun } from './load/saturation.ts';
import type { Child } from './run/child.ts';
import { CpuWatch } from './run/cpu-watch.ts';
import { requireOpenFiles } from './run/open-files.ts';
import { residentBytes } from './run/resident.ts';
import { announced, freePort, type Workspace } from './run/workspace.ts';
import type {
  CatchUpScenario,
  ConnectionsScenario,
  FetchScenario,
  LatencyScenario,
  MemoryScenario,
  Mode,
  ProduceScenario,
  RestartScenario,
  Scenario,
  StartupScenario,
} from './scenario.ts';
import {
  type Measurement,
  type Measures,
  type Metric,
  type Run,
  restart,
  startup,
  throughput,
} from './system.ts';

/** A way to start the server and the load of one system; the rest is the same for all. */
export interface Driver {
  /** Until its code is compiled; a JVM takes longer. */
  readonly warmupSeconds: number;
  /** Makes what an empty folder needs before the first start: nothing, for most. */
  format(place: Place, deadlineMs: number): Promise<void>;
  /** A server on the loopback that keeps its data in the folder, which may hold some already. */
  startServer(start: ServerStart): Child;
  /** Whether a line that it prints says that it serves. */
  isReady(line: string): boolean;
  startLoad(job: LoadJob, deadlineMs: number): Child;
}

/** A server's own, also when it is started again. */
export interface Place {
  readonly folder: string;
  /** Of the loopback. */
  readonly port: number;
}

export interface ServerStart extends Place {
  readonly mode: Mode;
  /** Of Varve's broker, `key=value`. */
  readonly settings: readonly string[];
  readonly deadlineMs: number;
}

/** What brokers are put through, in one shape for all. */
export function brokerMeasures(workspace: Workspace, driver: () => Driver): Measures {
  const bench = (scenario: Scenario, run: Run) =>
    new BrokerBench(workspace, driver(), scenario, run);
  return {
    produce: (scenario, run) => bench(scenario, run).produce(scenario),
    fetch: (scenario, run) => bench(scenario, run).fetch(scenario),
    latency: (scenario, run) => bench(scenario, run).latency(scenario),
    'catch-up': (scenario, run) => bench(scenario, run).catchUp(scenario),
    startup: (scenario, run) => bench(scenario, run).startup(scenario),
    restart: (scenario, run) => bench(scenario, run).restart(scenario),
    memory: (scenario, run) => bench(scenario, run).memory(scenario),
    connections: (scenario, run) => bench(scenario, run).connections(scenario),
  };
}

interface Running {
  /** Its address. */
  readonly server: string;
  readonly child: Child;
}

interface Latencies {
  readonly ack: LatencySummary;
  readonly endToEnd: LatencySummary;
}

/** One measurement: servers come and go within its methods. */
class BrokerBench {
  readonly #workspace: Workspace;
  readonly #driver: Driver;
  readonly #run: Run;
  readonly #settings: readonly string[];
  /** What jobs are told if they are not told otherwise. */
  readonly #job: Omit<LoadJob, 'work' | 'server'>;

  constructor(workspace: Workspace, driver: Driver, scenario: Scenario, run: Run) {
    this.#workspace = workspace;
    this.#driver = driver;
    this.#run = run;
    this.#settings = ('settings' in scenario && scenario.settings) || [];
    this.#job = {
      mode: run.mode,
      recordBytes: 100,
      partitions: 1,
      clients: 1,
      outstandingRecords: FILL_OUTSTANDING_RECORDS,
      records: 1,
      by: 'record',
      ratePerSecond: 1,
      ...scenario,
      warmupSeconds: driver.warmupSeconds,
      seconds: run.seconds,
    };
  }

  async produce(_: ProduceScenario): Promise<Measurement> {
    return await this.#withServer((running) => this.#throughput('produce', running));
  }

  async fetch(_: FetchScenario): Promise<Measurement> {
    return await this.#withServer(async (running) => {
      await this.#fill(running.server);
      return await this.#throughput('fetch', running);
    });
  }

  /** With the cores that both processes took meanwhile, if the load tells when it was timed. */
  async #throughput(work: 'produce' | 'fetch', { server, child }: Running): Promise<Measurement> {
    const load = this.#startLoad(work, server);
    const watches = { client_cpu: new CpuWatch(load.pid), server_cpu: new CpuWatch(child.pid) };
    try {
      const run = await this.#workspace.resultOf<SteadyRun>(load);
      const { metrics, ...rest } = throughput(run.records, this.#job.recordBytes, run.seconds);
      const cores = Object.entries(watches).flatMap(([name, watch]): Metric[] => {
        const value = watch.coresDuring(run);
        return value === undefined ? [] : [{ name, value, unit: 'cores' }];
      });
      return { ...rest, metrics: [...metrics, ...cores] };
    } finally {
      for (const watch of Object.values(watches)) watch.stop();
    }
  }

  async latency(_: LatencyScenario): Promise<Measurement> {
    return await this.#withServer(async ({ server }) => {
      const { ack, endToEnd } = await this.#work<Latencies>('latency', server);
      const metrics = [...latencyMetrics('ack', ack), ...latencyMetrics('end_to_end', endToEnd)];
      return { metrics, records: endToEnd.count, seconds: this.#run.seconds };
    });
  }

  async catchUp({ recordBytes }: CatchUpScenario): Promise<Measurement> {
    return await this.#withServer(async ({ server }) => {
      await this.#fill(server);
      const [{ ack, endToEnd }, read] = await Promise.all([
        this.#work<Latencies>('latency', server),
        this.#work<SteadyRun>('fetch', server),
      ]);
      const { metrics, records, seconds } = throughput(read.records, recordBytes, read.seconds);
      const live = [...latencyMetrics('ack', ack), ...latencyMetrics('end_to_end', endToEnd)];
      return { metrics: [...metrics, ...live], records, seconds };
    });
  }

  async startup({ repetitions }: StartupScenario): Promise<Measurement> {
    const times: number[] = [];
    for (let i = 0; i < repetitions; i++) {
      await this.#inPlace(async (place) => {
        times.push(await this.#timeStart(place));
      });
    }
    return startup(times);
  }

  async restart({ records, recordBytes, end }: RestartScenario): Promise<Measurement> {
    return await this.#inPlace(async (place) => {
      const child = await this.#startServer(place);
      await this.#fill(addressOf(place));
      if (end === 'kill') {
        child.kill();
        await child.ended;
      } else if (!(await child.stop()))
        throw new Error('the server did not stop when it was asked to');
      return restart(await this.#timeStart(place), records, recordBytes);
    });
  }

  async memory(_: MemoryScenario): Promise<Measurement> {
    return await this.#withServer(async ({ server, child }) => {
      await pause(IDLE_MS);
      const idle = residentBytes(child.pid);
      let most = idle;
      const watch = setInterval(() => {
        most = Math.max(most, residentBytes(child.pid));
      }, WATCH_MS);
      try {
        const { records, seconds } = await this.#work<SteadyRun>('produce', server);
        const metrics: Metric[] = [
          { name: 'idle_rss', value: idle / 1e6, unit: 'MB' },
          { name: 'loaded_rss', value: most / 1e6, unit: 'MB' },
        ];
        return { metrics, records, seconds };
      } finally {
        clearInterval(watch);
      }
    });
  }

  /** Memory first: what is freed of a load would hide what the connections take. */
  async connections(scenario: ConnectionsScenario): Promise<Measurement> {
    requireOpenFiles(scenario.idle + scenario.active + OTHER_FILES);
    return await this.#withServer(async ({ server, child }) => {
      const start = (work: ConnectionsJob['work'], connections: number): Child => {
        const { ratePerSecond, recordBytes } = scenario;
        const { warmupSeconds, seconds } = this.#job;
        const how = { connections, ratePerSecond, recordBytes, warmupSeconds, seconds };
        const script = new URL('./load/connections.ts', import.meta.url);
        return this.#workspace.startScript(script, { work, server, ...how }, this.#deadlineMs);
      };
      const active = () => this.#workspace.resultOf<ActiveResult>(start('active', scenario.active));
      // What is made once for all connections.
      await start('brief', scenario.active).output();
      await pause(IDLE_MS);
      const before = residentBytes(child.pid);
      const idle = start('idle', scenario.idle);
      await idle.seek(announced('open'));
      await pause(IDLE_MS);
      const perConnection = (residentBytes(child.pid) - before) / scenario.idle;
      const beside = await active();
      idle.kill();
      await idle.ended;
      const alone = await active();
      const metrics: Metric[] = [
        { name: 'rss_per_connection', value: perConnection / 1e3, unit: 'KB' },
        ...latencyMetrics('ack', beside.ack),
        ...latencyMetrics('ack_alone', alone.ack),
      ];
      return { metrics, records: beside.ack.count, seconds: this.#run.seconds };
    });
  }

  /** From the start of the process to the first acknowledged record, in ms; the client is there already. */
  async #timeStart(place: Place): Promise<number> {
    const client = this.#startLoad('first', addressOf(place));
    await client.seek(announced('waiting'));
    const startMs = performance.now();
    const server = this.#spawn(place);
    try {
      await client.seek(announced('result'));
      return performance.now() - startMs;
    } finally {
      await server.stop();
    }
  }

  async #fill(server: string): Promise<void> {
    await this.#work<SteadyRun>('fill', server, {
      // One client is enough; the others would only wait for its end.
      clients: 1,
      outstandingRecords: Math.max(16, Math.min(FILL_OUTSTANDING_RECORDS, this.#outstandingMost)),
    });
  }

  get #outstandingMost(): number {
    return Math.floor(FILL_OUTSTANDING_BYTES / this.#job.recordBytes);
  }

  async #work<Result>(work: Work, server: string, how: Partial<LoadJob> = {}): Promise<Result> {
    return await this.#workspace.resultOf<Result>(this.#startLoad(work, server, how));
  }

  #startLoad(work: Work, server: string, how: Partial<LoadJob> = {}): Child {
    return this.#driver.startLoad({ ...this.#job, work, server, ...how }, this.#deadlineMs);
  }

  async #withServer<T>(use: (running: Running) => Promise<T>): Promise<T> {
    return await this.#inPlace(async (place) => {
      const child = await this.#startServer(place);
      try {
        return await use({ server: addressOf(place), child });
      } finally {
        await child.stop();
      }
    });
  }

  async #inPlace<T>(use: (place: Place) => Promise<T>): Promise<T> {
    const folder = this.#workspace.makeFolder('server');
    try {
      const place = { folder, port: await freePort() };
      await this.#driver.format(place, this.#deadlineMs);
      return await use(place);
    } finally {
      this.#workspace.killAll();
      this.#workspace.removeFolder(folder);
    }
  }

  async #startServer(place: Place): Promise<Child> {
    const child = this.#spawn(place);
    await child.seek((line) => this.#driver.isReady(line) || undefined);
    return child;
  }

  #spawn(place: Place): Child {
    const { mode } = this.#run;
    const settings = this.#settings;
    return this.#driver.startServer({ ...place, mode, settings, deadlineMs: this.#deadlineMs });
  }

  /** Far more than a run needs, filling a topic included: reached only by one that hangs. */
  get #deadlineMs(): number {
    return 3 * (this.#driver.warmupSeconds + this.#run.seconds) * 1_000 + 180_000;
  }
}

const addressOf = ({ port }: Place): string => `127.0.0.1:${port}`;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const FILL_OUTSTANDING_RECORDS = 32_768;
const FILL_OUTSTANDING_BYTES = 16 * 1024 * 1024;
/** What was needed for the start is freed by then. */
const IDLE_MS = 5_000;
const WATCH_MS = 200;
/** What a process has open beside its connections, at most. */
const OTHER_FILES = 500;
