import { join } from 'node:path';
import { Kafka } from '../../../bench/peers/kafka.ts';
import type { Child } from '../../../bench/run/child.ts';
import { freePort, parseEvent, type Workspace } from '../../../bench/run/workspace.ts';
import { buildPackage } from '../../../bench/varve.ts';

/** What clients are pointed at. */
export interface Server {
  readonly name: string;
  /** `host:port` of the listener for Kafka clients; the same after a restart. */
  readonly address: string;
  /** Kills it with SIGKILL and starts it again on the same folder; absent if it is not ours. */
  readonly restart?: () => Promise<void>;
}

/** One that somebody else started, of whatever kind. */
export const externalServer = (address: string): Server => ({ name: address, address });

/** A broker from the built package. */
export async function startVarve(workspace: Workspace): Promise<Server> {
  const root = buildPackage(workspace.makeFolder('package'));
  const data = workspace.makeFolder('data');
  const [kafka, grpc] = [`127.0.0.1:${await freePort()}`, `127.0.0.1:${await freePort()}`];
  const listeners = ['--kafka', kafka, '--grpc', grpc, '--http', ''];
  const start = (): Child =>
    workspace.start({
      name: 'varve start',
      file: process.execPath,
      args: [join(root, 'dist/cli/main.js'), 'start', '--data-dir', data, ...listeners, '--json'],
      deadlineMs: SERVER_DEADLINE_MS,
    });
  return await own('Varve', kafka, start, (line) => parseEvent(line)?.event === 'ready');
}

/** Apache Kafka as the bench installs it: what passes there is what a client expects. */
export async function startKafka(workspace: Workspace): Promise<Server> {
  const kafka = new Kafka(workspace);
  await kafka.prepare();
  const place = { folder: workspace.makeFolder('kafka'), port: await freePort() };
  await kafka.format(place, SERVER_DEADLINE_MS);
  const options = { mode: 'no-fsync', settings: [], deadlineMs: SERVER_DEADLINE_MS } as const;
  const start = (): Child => kafka.startServer({ ...place, ...options });
  return await own('Kafka', `127.0.0.1:${place.port}`, start, (line) => kafka.isReady(line));
}

/** A server whose life is in our hands; it ends with the workspace. */
async function own(
  name: string,
  address: string,
  start: () => Child,
  isReady: (line: string) => boolean,
): Promise<Server> {
  let child: Child;
  const run = async (): Promise<void> => {
    child = start();
    await child.seek((line) => (isReady(line) ? line : undefined));
  };
  const restart = async (): Promise<void> => {
    child.kill();
    await child.ended;
    await run();
  };
  await run();
  return { name, address, restart };
}

/** Longer than a whole run. */
const SERVER_DEADLINE_MS = 30 * 60_000;
