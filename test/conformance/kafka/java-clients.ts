import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installKafkaJars } from '../../../bench/peers/kafka-jvm.ts';
import { installOnce, textOf } from '../cache.ts';
import { execute } from '../command.ts';
import type { Client, Program } from './client.ts';

const sources = fileURLToPath(new URL('java/', import.meta.url));

/** One of our main classes beside the jars of Kafka that the bench installs. */
async function javaProgram(mainClass: string): Promise<Program> {
  const jars = join(installKafkaJars(), '*');
  const classes = await installOnce('kafka-java', textOf(sources, '.java'), async (folder) => {
    const files = [
      'Features',
      'Records',
      'Administration',
      'Listeners',
      'Clients',
      'MainClass',
      'Tools',
    ];
    const paths = files.map((file) => join(sources, `${file}.java`));
    await execute('javac', ['-cp', jars, '-d', folder, ...paths]);
  });
  const options = ['-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];
  const classPath = [jars, classes].join(delimiter);
  return {
    file: 'java',
    args: [
      ...options,
      `-Dlog4j2.configurationFile=${sources}log4j2.properties`,
      '-cp',
      classPath,
      mainClass,
    ],
  };
}

export const javaClients: Client = {
  name: 'Java 4.3',
  id: 'java',
  prepare: () => javaProgram('Clients'),
};

export const javaTools: Client = {
  name: "Kafka's tools",
  id: 'tools',
  prepare: () => javaProgram('Tools'),
};
