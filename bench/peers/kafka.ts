import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brokerMeasures, type Driver, type Place, type ServerStart } from '../broker-measures.ts';
import type { LoadJob } from '../load/job.ts';
import type { Child } from '../run/child.ts';
import { freePort, type Workspace } from '../run/workspace.ts';
import type { SystemName } from '../scenario.ts';
import type { Measures, System } from '../system.ts';
import { installKafka, KafkaJvm } from './kafka-jvm.ts';
import { JavaLoad, type KafkaLoad } from './kafka-load.ts';

/**
 * Apache Kafka: one combined broker and controller, loaded by a program on its protocol, acks=all.
 * `no-fsync` is its default; `fsync` sets `flush.messages=1` on the topic.
 */
export class Kafka implements System, Driver {
  readonly name: SystemName;
  /** The first seconds of a JVM are up to twice as slow. */
  readonly warmupSeconds: number = 10;
  readonly measures: Measures;
  readonly #workspace: Workspace;
  readonly #load: KafkaLoad;
  #jvm: KafkaJvm | undefined;

  constructor(
    workspace: Workspace,
    name: SystemName = 'kafka',
    load: KafkaLoad = new JavaLoad(workspace, 'Load'),
  ) {
    this.name = name;
    this.#workspace = workspace;
    this.#load = load;
    this.measures = brokerMeasures(workspace, () => this);
  }

  async prepare(): Promise<void> {
    this.#jvm = new KafkaJvm(this.#workspace, installKafka());
    this.#load.prepare();
  }

  async format(place: Place, deadlineMs: number): Promise<void> {
    const file = propertiesOf(place.folder);
    const { port, folder } = place;
    const [broker, controller] = [`127.0.0.1:${port}`, `127.0.0.1:${await freePort()}`];
    const lines = [
      'process.roles=broker,controller',
      'node.id=1',
      `listeners=PLAINTEXT://${broker},CONTROLLER://${controller}`,
      `advertised.listeners=PLAINTEXT://${broker}`,
      'controller.listener.names=CONTROLLER',
      `controller.quorum.bootstrap.servers=${controller}`,
      `log.dirs=${join(folder, 'data')}`,
      'offsets.topic.replication.factor=1',
      'transaction.state.log.replication.factor=1',
      'transaction.state.log.min.isr=1',
      'share.coordinator.state.topic.replication.factor=1',
      'share.coordinator.state.topic.min.isr=1',
      '',
    ];
    writeFileSync(file, lines.join('\n'));
    const id = randomBytes(16).toString('base64url').replace(/^-/, 'A');
    const args = ['format', '--cluster-id', id, '--standalone', '-c', file];
    await this.#installed.tool('kafka.tools.StorageTool', args, deadlineMs).output();
  }

  startServer({ folder, deadlineMs }: ServerStart): Child {
    return this.#installed.server(propertiesOf(folder), deadlineMs);
  }

  isReady(line: string): boolean {
    return line.includes('Kafka Server started');
  }

  startLoad(job: LoadJob, deadlineMs: number): Child {
    return this.#load.start(job, deadlineMs);
  }

  get #installed(): KafkaJvm {
    if (this.#jvm === undefined) throw new Error('prepare() was not called');
    return this.#jvm;
  }
}

const propertiesOf = (folder: string): string => join(folder, 'server.properties');
