import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Kafka } from '../../../bench/peers/kafka.ts';
import type { Child } from '../../../bench/run/child.ts';
import { freePort, parseEvent, type Workspace } from '../../../bench/run/workspace.ts';
import { buildPackage } from '../../../bench/varve.ts';
import type { Listeners } from './client.ts';
import {
  boundTo,
  kafkaProperties,
  listenersFor,
  planListeners,
  varveArguments,
} from './listeners.ts';

/** What clients are pointed at. */
export interface Server {
  readonly name: string;
  /** `host:port` of the listener for Kafka clients; the same after a restart. */
  readonly address: string;
  /** Kills it with SIGKILL and starts it again on the same folder; absent if it is not ours. */
  readonly restart?: () => Promise<void>;
  /** Absent if it is not ours. */
  readonly listeners?: ServerListeners;
  /** `host:port` of the brokers of a cluster that runs beside it; absent if there is none. */
  readonly cluster?: readonly string[];
}

export interface ServerListeners extends Listeners {
  /** A plain listener of the broker of the one for mutual TLS. */
  readonly besideMutualTls: string;
}

/** One that somebody else started, of whatever kind. */
export const externalServer = (address: string): Server => ({ name: address, address });

/**
 * A broker from the built package, a second one for the listener that asks for certificates, and three that are a
 * cluster.
 */
export async function startVarve(workspace: Workspace): Promise<Server> {
  const root = buildPackage(workspace.makeFolder('package'));
  const starter = (more: readonly string[]): (() => Child) => {
    const data = workspace.makeFolder('data');
    const places = ['--data-dir', data, '--grpc', '127.0.0.1:0', '--http', '', ...more];
    return () =>
      workspace.start({
        name: 'varve start',
        file: process.execPath,
        args: [join(root, 'dist/cli/main.js'), 'start', ...places, '--json'],
        deadlineMs: SERVER_DEADLINE_MS,
      });
  };
  const isReady = (line: string): boolean => parseEvent(line)?.event === 'ready';
  const plans = await planListeners();
  const { PLAINTEXT, EXTERNAL, TLS, MUTUAL } = plans;
  const beside = { ...PLAINTEXT, port: await freePort() };
  await own(starter(varveArguments([beside, MUTUAL], true)), isReady);
  const start = starter(varveArguments([PLAINTEXT, EXTERNAL, TLS], false));
  return {
    name: 'Varve',
    address: boundTo(PLAINTEXT),
    restart: await own(start, isReady),
    listeners: { ...listenersFor(plans), besideMutualTls: boundTo(beside) },
    cluster: await startCluster((more) => own(starter(more), isReady)),
  };
}

/** Three nodes; returns their listeners for Kafka clients. */
async function startCluster(
  run: (more: readonly string[]) => Promise<unknown>,
): Promise<readonly string[]> {
  const address = async (): Promise<string> => `127.0.0.1:${await freePort()}`;
  const nodes: { readonly id: number; readonly peer: string; readonly kafka: string }[] = [];
  for (const id of [1, 2, 3]) nodes.push({ id, peer: await address(), kafka: await address() });
  const voters = nodes.map(({ id, peer }) => `${id}@${peer}`).join(',');
  // None is ready before most of them are there.
  await Promise.all(
    nodes.map(({ id, peer, kafka }) =>
      run([...['--node-id', `${id}`, '--voters', voters], ...['--peer', peer, '--kafka', kafka]]),
    ),
  );
  return nodes.map(({ kafka }) => kafka);
}

/** Apache Kafka as the bench installs it: what passes there is what a client expects. */
export async function startKafka(workspace: Workspace): Promise<Server> {
  const kafka = new Kafka(workspace);
  await kafka.prepare();
  const plans = await planListeners();
  const address = boundTo(plans.PLAINTEXT);
  const place = { folder: workspace.makeFolder('kafka'), port: plans.PLAINTEXT.port };
  await kafka.format(place, SERVER_DEADLINE_MS);
  // The last line of a name is the one that counts.
  const file = join(place.folder, 'server.properties');
  appendFileSync(file, kafkaProperties(readFileSync(file, 'utf8'), Object.values(plans)));
  const options = { mode: 'no-fsync', settings: [], deadlineMs: SERVER_DEADLINE_MS } as const;
  const start = (): Child => kafka.startServer({ ...place, ...options });
  return {
    name: 'Kafka',
    address,
    restart: await own(start, (line) => kafka.isReady(line)),
    listeners: { ...listenersFor(plans), besideMutualTls: address },
  };
}

/** A server whose life is in our hands; it ends with the workspace. Returns what restarts it. */
async function own(
  start: () => Child,
  isReady: (line: string) => boolean,
): Promise<() => Promise<void>> {
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
  return restart;
}

/** Longer than a whole run. */
const SERVER_DEADLINE_MS = 30 * 60_000;
