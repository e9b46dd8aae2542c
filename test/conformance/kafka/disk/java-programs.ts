import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  digestOf,
  installOnce,
  requireProgram,
  runInstaller,
} from '../../../../bench/peers/install.ts';
import { installKafka } from '../../../../bench/peers/kafka-jvm.ts';
import { UnavailableError } from '../../../../bench/system.ts';
import { MissingToolchainError } from '../../check.ts';

const SOURCES = fileURLToPath(new URL('java/', import.meta.url));

/**
 * Folders of Kafka's jars, and of the programs in a folder that use them, compiled once.
 *
 * @throws MissingToolchainError if this machine cannot have them
 */
export function javaClassPath(from: string = SOURCES): readonly string[] {
  try {
    const { classPath } = installKafka();
    const programs = installOnce(`kafka-programs-utf8-${digestOf(from)}`, (folder) => {
      requireProgram('javac', '-version');
      const sources = readdirSync(from).map((name) => join(from, name));
      // Where the locale says nothing, a compiler of Java 17 takes ASCII for granted, and so does a program.
      const args = ['-encoding', 'UTF-8', '-cp', classPath[0]!, '-d', folder, ...sources];
      runInstaller({ file: 'javac', args, cwd: folder });
    });
    return [...classPath, programs];
  } catch (error) {
    if (error instanceof UnavailableError) throw new MissingToolchainError(error.message);
    throw error;
  }
}

/** What a short-lived JVM is told: its start counts for more than its speed. */
export const JVM_FLAGS: readonly string[] = [
  '-Xmx512m',
  '-Dfile.encoding=UTF-8',
  '-XX:+UseSerialGC',
  '-XX:TieredStopAtLevel=1',
  `-Dlog4j2.configurationFile=${fileURLToPath(
    new URL('../../../../bench/peers/kafka/log4j2.properties', import.meta.url),
  )}`,
];
