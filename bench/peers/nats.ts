import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brokerMeasures, type Driver, type ServerStart } from '../broker-measures.ts';
import type { LoadJob } from '../load/job.ts';
import type { Child } from '../run/child.ts';
import type { Workspace } from '../run/workspace.ts';
import type { Measures, System } from '../system.ts';
import { installNats, type NatsPrograms } from './nats-install.ts';

/**
 * NATS JetStream: one server, loaded by a Go program on its own client. `no-fsync` is its default
 * (a sync every two minutes) and published by fast ingest; `fsync` is `sync_interval: always` and
 * published in atomic batches of 1,000, which share a sync: each the fastest way in.
 */
export class Nats implements System, Driver {
  readonly name = 'nats';
  readonly warmupSeconds: number = 3;
  readonly measures: Measures;
  readonly #workspace: Workspace;
  #programs: NatsPrograms | undefined;

  constructor(workspace: Workspace) {
    this.#workspace = workspace;
    this.measures = brokerMeasures(workspace, () => this);
  }

  async prepare(): Promise<void> {
    this.#programs = installNats();
  }

  async format(): Promise<void> {}

  startServer({ folder, port, mode, deadlineMs }: ServerStart): Child {
    const config = join(folder, 'nats.conf');
    const sync = mode === 'fsync' ? 'always' : '"2m"';
    writeFileSync(
      config,
      [
        `listen: "127.0.0.1:${port}"`,
        // Records of 1 MiB need more than the default, which is that.
        'max_payload: 2MB',
        `jetstream { store_dir: ${JSON.stringify(join(folder, 'data'))}, sync_interval: ${sync} }`,
        '',
      ].join('\n'),
    );
    const file = this.#installed.server;
    const args = ['-c', config];
    return this.#workspace.start({ name: 'nats-server', file, args, deadlineMs });
  }

  isReady(line: string): boolean {
    return line.includes('Server is ready');
  }

  startLoad(job: LoadJob, deadlineMs: number): Child {
    return this.#workspace.start({
      name: `NATS load (${job.work})`,
      file: this.#installed.load,
      args: [JSON.stringify(job)],
      deadlineMs,
    });
  }

  get #installed(): NatsPrograms {
    if (this.#programs === undefined) throw new Error('prepare() was not called');
    return this.#programs;
  }
}
