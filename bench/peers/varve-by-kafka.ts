import type { ServerStart } from '../broker-measures.ts';
import type { LoadJob } from '../load/job.ts';
import type { Child } from '../run/child.ts';
import type { Workspace } from '../run/workspace.ts';
import type { SystemName } from '../scenario.ts';
import { Varve } from '../varve.ts';
import type { KafkaLoad } from './kafka-load.ts';

/** Varve as Kafka's clients find it: the loads of `kafka`, through the Kafka door. */
export class VarveByKafka extends Varve {
  override readonly name: SystemName;
  /** As long as Kafka's. */
  override readonly warmupSeconds = 10;
  readonly #load: KafkaLoad;

  constructor(workspace: Workspace, name: SystemName, load: KafkaLoad) {
    super(workspace, 'package', 'kafka');
    this.name = name;
    this.#load = load;
  }

  override async prepare(): Promise<void> {
    this.#load.prepare();
    await super.prepare();
  }

  /** What an acknowledgement promises is a setting of topics, and the load makes them as Kafka knows them. */
  override startServer(start: ServerStart): Child {
    const durability = start.mode === 'no-fsync' ? ['log.durability=replicated'] : [];
    return super.startServer({ ...start, settings: [...start.settings, ...durability] });
  }

  override startLoad(job: LoadJob, deadlineMs: number): Child {
    return this.#load.start({ ...job, mode: 'default' }, deadlineMs);
  }
}
