import { spawnSync } from 'node:child_process';
import { cpSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { brokerMeasures, type Driver, type ServerStart } from './broker-measures.ts';
import type { EmbeddedJob, EmbeddedResult } from './load/embedded.ts';
import type { LoadJob } from './load/job.ts';
import type { Child } from './run/child.ts';
import { parseEvent, type Workspace } from './run/workspace.ts';
import type { EmbeddedScenario, SystemName } from './scenario.ts';
import { type Measurement, type Measures, median, type System } from './system.ts';

type Door = 'grpc' | 'kafka';

/**
 * The broker of this tree with its settings as they come, as the package that is published, used by
 * load processes through the client.
 */
export class Varve implements System, Driver {
  readonly name: SystemName = 'varve';
  readonly warmupSeconds: number = 3;
  readonly measures: Measures;
  readonly #workspace: Workspace;
  readonly #isBuilt: boolean;
  readonly #door: Door;
  /** Of the package, or of the sources. */
  #root: string = ROOT;

  /** `from` says what runs: the built package, or the sources, whose lines a profile can name. */
  constructor(workspace: Workspace, from: 'package' | 'sources' = 'package', door: Door = 'grpc') {
    this.#workspace = workspace;
    this.#door = door;
    this.#isBuilt = from === 'package';
    this.measures = {
      ...brokerMeasures(workspace, () => this),
      ...this.#connections(),
      embedded: (scenario) => this.#embedded(scenario),
    };
  }

  async prepare(): Promise<void> {
    if (this.#isBuilt) this.#root = buildPackage(this.#workspace.makeFolder('package'));
  }

  async format(): Promise<void> {}

  startServer(start: ServerStart): Child {
    return this.#start(start, this.#door);
  }

  /** They are those of Kafka clients. */
  #connections(): Pick<Measures, 'connections'> {
    const driver: Driver = {
      warmupSeconds: this.warmupSeconds,
      format: () => this.format(),
      startServer: (start) => this.#start(start, 'kafka'),
      isReady: (line) => this.isReady(line),
      startLoad: (job, deadlineMs) => this.startLoad(job, deadlineMs),
    };
    const { connections } = brokerMeasures(this.#workspace, () => driver);
    return connections === undefined ? {} : { connections };
  }

  /** `door`: which one the load expects at the address. */
  #start({ folder, port, settings, deadlineMs }: ServerStart, door: Door): Child {
    const command = ['start', '--data-dir', join(folder, 'data'), '--json'];
    const address = `127.0.0.1:${port}`;
    const [grpc, kafka] = door === 'grpc' ? [address, ''] : ['127.0.0.1:0', address];
    const listeners = ['--grpc', grpc, '--http', '127.0.0.1:0', '--kafka', kafka];
    const set = settings.flatMap((setting) => ['--set', setting]);
    return this.#workspace.startNode({
      name: 'varve start',
      role: 'broker',
      args: [this.#module('cli/main'), ...command, ...listeners, ...set],
      deadlineMs,
    });
  }

  isReady(line: string): boolean {
    return parseEvent(line)?.event === 'ready';
  }

  startLoad(job: LoadJob, deadlineMs: number): Child {
    const script = new URL('./load/main.ts', import.meta.url);
    return this.#workspace.startScript(script, job, deadlineMs);
  }

  async #embedded({ brokers }: EmbeddedScenario): Promise<Measurement> {
    const module = pathToFileURL(this.#module('testing/main')).href;
    const job: EmbeddedJob = { module, brokers };
    const script = new URL('./load/embedded.ts', import.meta.url);
    const result = await this.#workspace.work<EmbeddedResult>(script, job, EMBEDDED_DEADLINE_MS);
    const { firstReadyMs, readyMs, allReadyMs, addedBytes } = result;
    return {
      metrics: [
        { name: 'first_ready', value: firstReadyMs, unit: 'ms' },
        { name: 'ready', value: median(readyMs), unit: 'ms' },
        { name: 'all_ready', value: allReadyMs, unit: 'ms' },
        { name: 'rss_per_broker', value: addedBytes / brokers / 1e6, unit: 'MB' },
      ],
      records: 0,
      seconds: (firstReadyMs + allReadyMs) / 1_000,
    };
  }

  #module(name: string): string {
    return join(this.#root, this.#isBuilt ? `dist/${name}.js` : `src/${name}.ts`);
  }
}

/** Makes the package as it is published, but beside the packages that are already here. */
export function buildPackage(folder: string): string {
  const { status } = spawnSync(
    process.execPath,
    [join(ROOT, '.ci', 'build.mjs'), join(folder, 'dist')],
    { stdio: ['ignore', 2, 2], timeout: BUILD_TIMEOUT_MS },
  );
  if (status !== 0)
    throw new Error(`the package cannot be built: .ci/build.mjs ended with ${status}`);
  for (const name of ['proto', 'package.json']) {
    cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  }
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const BUILD_TIMEOUT_MS = 120_000;
const EMBEDDED_DEADLINE_MS = 120_000;
