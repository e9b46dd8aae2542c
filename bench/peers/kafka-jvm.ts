import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Child } from '../run/child.ts';
import type { Workspace } from '../run/workspace.ts';
import { installOnce, requireProgram, runInstaller } from './install.ts';

const VERSION = '4.3.1';
const SOURCES = fileURLToPath(new URL('./kafka/', import.meta.url));

/** Gets Kafka's jars from Maven, once. Returns the folder that holds them. */
export function installKafka(): string {
  requireProgram('java', '-version');
  return installOnce(`kafka-${VERSION}`, (folder) => {
    requireProgram('mvn', '--version');
    copyFileSync(join(SOURCES, 'pom.xml'), join(folder, 'pom.xml'));
    const goal = ['dependency:copy-dependencies', `-DoutputDirectory=${folder}`];
    runInstaller({ file: 'mvn', args: ['--batch-mode', '--quiet', ...goal], cwd: folder });
  });
}

/** Starts main classes of Kafka with the flags that its own scripts give the JVM. */
export class KafkaJvm {
  readonly #workspace: Workspace;
  readonly #jars: string;

  constructor(workspace: Workspace, jars: string) {
    this.#workspace = workspace;
    this.#jars = jars;
  }

  server(properties: string, deadlineMs: number): Child {
    return this.#start(['-Xms1g', '-Xmx1g'], ['kafka.Kafka', properties], deadlineMs);
  }

  tool(mainClass: string, args: readonly string[], deadlineMs: number): Child {
    return this.#start(['-Xmx512m'], [mainClass, ...args], deadlineMs);
  }

  #start(heap: readonly string[], main: readonly string[], deadlineMs: number): Child {
    return this.#workspace.start({
      name: main[0]!,
      file: 'java',
      args: [...heap, ...JVM_FLAGS, '-cp', join(this.#jars, '*'), ...main],
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
