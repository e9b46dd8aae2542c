import type { ServerStart } from '../broker-measures.ts';
import type { LoadJob } from '../load/job.ts';
import type { Child } from '../run/child.ts';
import type { Workspace } from '../run/workspace.ts';
import type { SystemName } from '../system.ts';
import { Varve } from '../varve.ts';
import { installKafka, KafkaJvm } from './kafka-jvm.ts';

/** Varve as Kafka's own client finds it: the load of `kafka`, through the Kafka door. */
export class VarveByKafka extends Varve {
  override readonly name: SystemName = 'varve-kafka';
  /** The load is a JVM. */
  override readonly warmupSeconds = 10;
  readonly #workspace: Workspace;
  #jvm: KafkaJvm | undefined;

  constructor(workspace: Workspace) {
    super(workspace, 'package', 'kafka');
    this.#workspace = workspace;
  }

  override async prepare(): Promise<void> {
    this.#jvm = new KafkaJvm(this.#workspace, installKafka());
    await super.prepare();
  }

  /** What an acknowledgement promises is a setting of topics, and the load makes them as Kafka knows them. */
  override startServer(start: ServerStart): Child {
    const durability = start.mode === 'no-fsync' ? ['log.durability=replicated'] : [];
    return super.startServer({ ...start, settings: [...start.settings, ...durability] });
  }

  override startLoad(job: LoadJob, deadlineMs: number): Child {
    return this.#jvm!.load(JSON.stringify({ ...job, mode: 'default' }), deadlineMs);
  }
}
