import type { LoadJob } from '../load/job.ts';
import type { Child } from '../run/child.ts';
import type { Workspace } from '../run/workspace.ts';
import { installKafka, type JavaLoadName, KafkaJvm } from './kafka-jvm.ts';
import { installLibrdkafka } from './librdkafka-install.ts';

/** A program that loads whatever speaks Kafka's protocol: Kafka and Varve alike. */
export interface KafkaLoad {
  /** Gets what it needs onto the machine; throws `UnavailableError` where that cannot be. */
  prepare(): void;
  start(job: LoadJob, deadlineMs: number): Child;
}

/** Kafka's own client. */
export class JavaLoad implements KafkaLoad {
  readonly #workspace: Workspace;
  readonly #mainClass: JavaLoadName;
  #jvm: KafkaJvm | undefined;

  constructor(workspace: Workspace, mainClass: JavaLoadName) {
    this.#workspace = workspace;
    this.#mainClass = mainClass;
  }

  prepare(): void {
    this.#jvm = new KafkaJvm(this.#workspace, installKafka());
  }

  start(job: LoadJob, deadlineMs: number): Child {
    if (this.#jvm === undefined) throw new Error('prepare() was not called');
    return this.#jvm.load(this.#mainClass, job, deadlineMs);
  }
}

/** The client library in C on which those of most other languages stand. */
export class LibrdkafkaLoad implements KafkaLoad {
  readonly #workspace: Workspace;
  #file: string | undefined;

  constructor(workspace: Workspace) {
    this.#workspace = workspace;
  }

  prepare(): void {
    this.#file = installLibrdkafka();
  }

  start(job: LoadJob, deadlineMs: number): Child {
    if (this.#file === undefined) throw new Error('prepare() was not called');
    const { work, server, mode, recordBytes, records, warmupSeconds, seconds } = job;
    const numbers = [recordBytes, records, warmupSeconds, seconds].map(String);
    return this.#workspace.start({
      name: `librdkafka load (${work})`,
      file: this.#file,
      args: [work, server, mode, ...numbers],
      deadlineMs,
    });
  }
}
