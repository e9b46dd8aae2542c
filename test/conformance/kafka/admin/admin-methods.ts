import { writeFileSync } from 'node:fs';
import { delimiter } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installOnce, runInstaller } from '../../../../bench/peers/install.ts';
import { Kafka } from '../../../../bench/peers/kafka.ts';
import { freePort, Workspace } from '../../../../bench/run/workspace.ts';
import { BrokerProcess } from '../../../support/processes.ts';
import { execute } from '../../command.ts';
import { JVM_FLAGS, javaClassPath } from '../disk/java-programs.ts';

/** What became of one call. */
interface Call {
  readonly method: string;
  readonly outcome: 'works' | 'fails' | 'hangs';
  readonly error?: string;
  readonly message?: string;
}

/** A library, and how its methods are all called. */
interface Library {
  readonly name: string;
  prepare(): (server: string) => Promise<string>;
}

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const KAFKAJS = 'kafkajs@2.2.4';
const LIMIT_MS = 10 * 60_000;

const LIBRARIES: readonly Library[] = [
  {
    name: 'Kafka 4.3, Java `Admin`',
    prepare() {
      const classPath = javaClassPath(here('java/')).join(delimiter);
      return (server) => execute('java', [...JVM_FLAGS, '-cp', classPath, 'AdminMethods', server]);
    },
  },
  {
    name: 'kafkajs 2.2, `admin()`',
    prepare() {
      // It has no dependencies.
      const packages = installOnce(KAFKAJS.replace('@', '-'), (folder) => {
        const options = ['--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund'];
        runInstaller({ file: 'npm', args: ['install', ...options, KAFKAJS], cwd: folder });
      });
      const program = here('kafkajs-methods.mjs');
      return (server) => execute(process.execPath, [program, server, `${packages}/`]);
    },
  },
];

/**
 * Calls every method of admin libraries on a broker of ours and on an Apache Kafka as it comes, and writes
 * `ADMIN.md`.
 *
 * @returns the number of faults: what hangs, or fails neither by the name of a missing API nor as it does there
 */
export async function writeAdminMethods(): Promise<number> {
  const workspace = new Workspace();
  try {
    const ourPort = await freePort();
    await using broker = new BrokerProcess(
      `${workspace.makeFolder('varve')}/data`,
      ...['--kafka', `127.0.0.1:${ourPort}`],
    );
    await broker.start();
    const theirPort = await startKafka(workspace);
    const sections: string[] = [];
    let faults = 0;
    for (const { name, prepare } of LIBRARIES) {
      const call = prepare();
      const ours = parse(await call(`127.0.0.1:${ourPort}`));
      const theirs = parse(await call(`127.0.0.1:${theirPort}`));
      sections.push(section(name, ours, theirs));
      for (const each of ours.filter((each) => isFault(each, theirs))) {
        faults++;
        console.log(`FAULT   ${name}  ${each.method}: ${describe(each)}: ${each.message}`);
      }
    }
    writeFileSync(here('../ADMIN.md'), `${HEAD}\n${sections.join('\n')}`);
    return faults;
  } finally {
    workspace.close();
  }
}

async function startKafka(workspace: Workspace): Promise<number> {
  const kafka = new Kafka(workspace);
  await kafka.prepare();
  const place = { folder: workspace.makeFolder('kafka'), port: await freePort() };
  await kafka.format(place, LIMIT_MS);
  const how = { mode: 'no-fsync', settings: [], deadlineMs: LIMIT_MS } as const;
  await kafka.startServer({ ...place, ...how }).seek((line) => kafka.isReady(line) || undefined);
  return place.port;
}

const parse = (printed: string): Call[] =>
  printed
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Call);

/** How the libraries say, before they send anything, that a server does not have an API. */
const NOT_SERVED = new Set([
  'UnsupportedVersionException',
  'KafkaJSServerDoesNotSupportApiKey',
  // What it makes of that when the API is FindCoordinator.
  'KafkaJSGroupCoordinatorNotFound',
]);

/** What fails by another name must do so with Kafka, too. */
function isFault({ outcome, method, error = '' }: Call, theirs: readonly Call[]): boolean {
  if (outcome === 'hangs') return true;
  if (outcome === 'works' || NOT_SERVED.has(error)) return false;
  return theirs.find((other) => other.method === method)?.error !== error;
}

function describe({ outcome, error }: Call): string {
  if (outcome !== 'fails') return outcome === 'works' ? 'works' : '**hangs**';
  return NOT_SERVED.has(error ?? '') ? `not yet: ${error}` : `${error}`;
}

function section(name: string, ours: readonly Call[], theirs: readonly Call[]): string {
  const count = ours.filter(({ outcome }) => outcome === 'works').length;
  const rows = ours.map((call) => {
    const other = theirs.find(({ method }) => method === call.method);
    return `| ${call.method} | ${describe(call)} | ${other === undefined ? '' : describe(other)} |`;
  });
  return `## ${name}

${count} of ${ours.length} calls work.

| method | Varve | Kafka 4.3 as it comes |
| --- | --- | --- |
${rows.join('\n')}
`;
}

const HEAD = `# Admin libraries, method by method

Written by \`npm run conformance -- --admin-methods\`; do not edit. Every method that an admin library has is called
once with arguments that make sense, on a broker of ours and on an Apache Kafka with its default settings, where
\`not yet\` means that the API is not served, so that the library itself refuses, at once and by that name. Each call
has 10 s, and would be said to hang after them.
`;
