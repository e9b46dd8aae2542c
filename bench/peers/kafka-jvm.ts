import { copyFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LoadJob } from '../load/job.ts';
import type { Child } from '../run/child.ts';
import type { Workspace } from '../run/workspace.ts';
import { digestOf, installOnce, requireProgram, runInstaller } from './install.ts';

const VERSION = '4.3.1';
const SOURCES = fileURLToPath(new URL('./kafka/', import.meta.url));

const LOADS = ['Load', 'Perf'] as const;

/** `Load` is the bench's own, `Perf` Kafka's ProducerPerformance. */
export type JavaLoadName = (typeof LOADS)[number];

export interface KafkaPrograms {
  /** Folders of jars and classes. */
  readonly classPath: readonly string[];
}

/** Gets Kafka's jars from Maven, once; returns their folder. */
export function installKafkaJars(): string {
  requireProgram('java', '-version');
  return installOnce(`kafka-${VERSION}`, (folder) => {
    requireProgram('mvn', '--version');
    copyFileSync(join(SOURCES, 'pom.xml'), join(folder, 'pom.xml'));
    const goal = ['dependency:copy-dependencies', `-DoutputDirectory=${folder}`];
    runInstaller({ file: 'mvn', args: ['--batch-mode', '--quiet', ...goal], cwd: folder });
  });
}

/** Gets Kafka's jars and compiles the load programs, each once. */
export function installKafka(): KafkaPrograms {
  const jars = installKafkaJars();
  const load = installOnce(`kafka-load-${digestOf(SOURCES)}`, (folder) => {
    requireProgram('javac', '-version');
    const sources = LOADS.map((name) => join(SOURCES, `${name}.java`));
    const args = ['-cp', join(jars, '*'), '-d', folder, ...sources];
    runInstaller({ file: 'javac', args, cwd: folder });
  });
  return { classPath: [join(jars, '*'), load] };
}

/** Starts main classes with the flags that Kafka's own scripts give the JVM. */
export class KafkaJvm {
  readonly #workspace: Workspace;
  readonly #programs: KafkaPrograms;

  constructor(workspace: Workspace, programs: KafkaPrograms) {
    this.#workspace = workspace;
    this.#programs = programs;
  }

  server(properties: string, deadlineMs: number): Child {
    return this.#start(['-Xms1g', '-Xmx1g'], ['kafka.Kafka', properties], deadlineMs);
  }

  tool(mainClass: string, args: readonly string[], deadlineMs: number): Child {
    return this.#start(['-Xmx512m'], [mainClass, ...args], deadlineMs);
  }

  load(mainClass: JavaLoadName, job: LoadJob, deadlineMs: number): Child {
    return this.#start(['-Xmx1g'], [mainClass, JSON.stringify(job)], deadlineMs);
  }

  #start(heap: readonly string[], main: readonly string[], deadlineMs: number): Child {
    return this.#workspace.start({
      name: main[0]!,
      file: 'java',
      args: [...heap, ...JVM_FLAGS, '-cp', this.#programs.classPath.join(delimiter), ...main],
      deadlineMs,
    });
  }
}

const JVM_FLAGS = [
  '-server',
  '-XX:+UseG1GC',
  '-XX:MaxGCPauseMillis=20',
  '-XX:InitiatingHeapOccupancyPercent=35',
  '-XX:+ExplicitGCInvokesConcurrent',
  '-Djava.awt.headless=true',
  `-Dlog4j2.configurationFile=${join(SOURCES, 'log4j2.properties')}`,
];
