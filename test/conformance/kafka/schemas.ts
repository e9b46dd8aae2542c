import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { installKafkaJars } from '../../../bench/peers/kafka-jvm.ts';
import { UnavailableError } from '../../../bench/system.ts';
import type { Api } from '../../../src/kafka/api.ts';
import { servedApis } from '../../../src/kafka/api-table.ts';
import { MissingToolchainError, type Suite } from '../check.ts';
import { execute } from '../command.ts';
import { type MessageDefinition, parseDefinition } from './message-definition.ts';
import { schemaDifferences } from './schema-differences.ts';

/** Where the jar of Kafka's clients has the definitions of all messages. */
const MESSAGES = 'common/message';

interface Definitions extends AsyncDisposable {
  readonly all: readonly MessageDefinition[];
}

/** The schema table beside Kafka's own definitions, as they are published with its clients. */
export const schemaSuite: Suite<Definitions> = {
  name: 'kafka schemas',
  prepare: async (folder) => {
    const jar = clientsJar();
    await execute('jar', ['xf', jar, MESSAGES], { cwd: folder });
    const files = readdirSync(join(folder, MESSAGES)).filter((name) => name.endsWith('.json'));
    const all = files.map((name) =>
      parseDefinition(readFileSync(join(folder, MESSAGES, name), 'utf8')),
    );
    return { all, [Symbol.asyncDispose]: async () => {} };
  },
  checks: Object.fromEntries(
    servedApis.map((api) => [
      `${api.name} ${api.versions.first} to ${api.versions.last} is as Kafka defines it`,
      async ({ all }: Definitions) => compare(api, all),
    ]),
  ),
};

function clientsJar(): string {
  try {
    const jars = installKafkaJars();
    const name = readdirSync(jars).find((each) => /^kafka-clients-[\d.]+\.jar$/.test(each));
    if (name === undefined) throw new Error(`${jars} has no jar of kafka-clients`);
    return join(jars, name);
  } catch (error) {
    if (error instanceof UnavailableError) throw new MissingToolchainError(error.message);
    throw error;
  }
}

function compare(api: Api, all: readonly MessageDefinition[]): void {
  const differences = (['request', 'response'] as const).flatMap((direction) => {
    const found = all.find(({ apiKey, type }) => apiKey === api.key && type === direction);
    if (found === undefined) return [`Kafka has no ${direction} with the key ${api.key}`];
    return schemaDifferences(api, direction, found);
  });
  if (differences.length > 0) throw new Error(differences.join('\n'));
}
