import { randomBytes } from 'node:crypto';
import { Workspace } from '../../../bench/run/workspace.ts';
import { UnavailableError } from '../../../bench/system.ts';
import { MissingToolchainError, type Result } from '../check.ts';
import { serves } from './announced-apis.ts';
import { batchCodecs } from './batch-codecs.ts';
import type { Client, Cluster, Job } from './client.ts';
import { CLIENTS } from './clients.ts';
import { CODECS, FEATURES, type Feature, type Outcome, type Outcomes } from './features.ts';
import { CERTIFICATES } from './listeners.ts';
import { makeTopics } from './make-topics.ts';
import { runClient } from './run-client.ts';
import { externalServer, type Server, startKafka, startVarve } from './server.ts';
import { type Column, tableOf, writeTable } from './table.ts';

export interface Request {
  /** `host:port`, or `kafka` for an Apache Kafka of our own; Varve's built package if absent. */
  readonly server: string | undefined;
  /** Only these clients; all if absent. */
  readonly ids: readonly string[] | undefined;
  /** Replaces the table of the README by what this run showed. */
  readonly writesTable: boolean;
}

/** Puts clients of Kafka through all features, one after another, and prints the table. */
export async function runKafkaClients(request: Request): Promise<Result[]> {
  const clients = chosen(request.ids);
  if (request.writesTable && (request.ids ?? request.server) !== undefined) {
    throw new Error('the table is written by a run of all clients against our own broker');
  }
  const workspace = new Workspace();
  try {
    const server = await startServer(workspace, request.server);
    const runs: [Client, Run][] = [];
    for (const client of clients) runs.push([client, await runOne(client, server)]);
    const columns = runs.flatMap(([client, run]): Column[] =>
      'outcomes' in run ? [{ client: client.name, outcomes: run.outcomes }] : [],
    );
    console.log(`${server.name}\n\n${tableOf(columns)}\n`);
    if (request.writesTable) writeTable(README, columns);
    return runs.flatMap(([client, run]) => resultsOf(client, run));
  } catch (error) {
    // What the other suites showed is still told.
    const reason = String((error as Error).stack ?? error);
    return [{ suite: 'Kafka clients', check: 'a server for them', verdict: 'failed', reason }];
  } finally {
    workspace.close();
  }
}

const README = new URL('../../../README.md', import.meta.url);

function chosen(ids: readonly string[] | undefined): readonly Client[] {
  const known = CLIENTS.map(({ id }) => id);
  const unknown = ids?.find((id) => !known.includes(id));
  if (unknown !== undefined) throw new Error(`no client ${unknown}; there are ${known.join(', ')}`);
  return ids === undefined ? CLIENTS : CLIENTS.filter(({ id }) => ids.includes(id));
}

async function startServer(workspace: Workspace, server: string | undefined): Promise<Server> {
  if (server === undefined) return await startVarve(workspace);
  return server === 'kafka' ? await startKafka(workspace) : externalServer(server);
}

/** What became of a client: all it did, or why it was not run. */
type Run = { readonly outcomes: Outcomes } | { readonly skipped: string };

/** Never fails. */
async function runOne(client: Client, server: Server): Promise<Run> {
  const startedMs = Date.now();
  try {
    const program = await client.prepare();
    const prefix = `${client.id}-${randomBytes(3).toString('hex')}`;
    const { address, restart, listeners = null } = server;
    const make = (at: string, topics: object): Promise<ReadonlyMap<string, string>> =>
      makeTopics(at, new Map(Object.entries(topics).map(([name, n]) => [`${prefix}-${name}`, n])));
    await make(address, client.topics ?? {});
    if (listeners !== null) {
      const named = listeners.named.map((_, number) => [`listeners-${number}`, 1]);
      await make(address, { ...Object.fromEntries(named), tls: 1 });
      await make(listeners.besideMutualTls, { 'mutual-tls': 1 });
    }
    const job: Job = {
      ...{ server: address, prefix, canRestart: restart !== undefined },
      ...{ listeners, certificates: CERTIFICATES },
      cluster: await clusterFor(prefix, server.cluster),
    };
    const outcomes = await runClient(program, job, restart);
    return { outcomes: new Map([...outcomes, ...(await wrongCodecs(client, job, outcomes))]) };
  } catch (error) {
    const isMissing = error instanceof MissingToolchainError || error instanceof UnavailableError;
    if (isMissing) return { skipped: error.message };
    const detail = String((error as Error).stack ?? error);
    return { outcomes: new Map(FEATURES.map((feature) => [feature, { ok: false, detail }])) };
  } finally {
    console.error(`${client.name}: ${((Date.now() - startedMs) / 1_000).toFixed(1)} s`);
  }
}

/** As many topics as there are brokers twice over: of placement by chance, nearly every broker leads some. */
async function clusterFor(
  prefix: string,
  servers: readonly string[] | undefined,
): Promise<Cluster | null> {
  if (servers === undefined) return null;
  const names = Array.from({ length: 2 * servers.length }, (_, at) => `${prefix}-cluster-${at}`);
  const leaders = await makeTopics(servers[0]!, new Map(names.map((name) => [name, 1])));
  const topics = [...leaders].map(([topic, leader]) => ({
    ...{ topic, server: servers.find((each) => each !== leader)! },
  }));
  return { servers, topics };
}

/** The features of codecs whose batches were not sent with them, though the client thought all well. */
async function wrongCodecs(
  client: Client,
  job: Job,
  outcomes: Outcomes,
): Promise<Map<Feature, Outcome>> {
  const wrong = new Map<Feature, Outcome>();
  for (const codec of CODECS) {
    const feature: Feature = `produce and fetch, ${codec}`;
    if (outcomes.get(feature)?.ok !== true) continue;
    const found = await batchCodecs(job.server, `${job.prefix}-codec-${codec}`);
    // A batch that gets no smaller may be left as it is.
    const isRight =
      found.includes(codec) && found.every((each) => each === codec || each === 'none');
    if (isRight) continue;
    const detail = `the batches were sent as ${found}`;
    const isKnown =
      codec === 'lz4' && client.isLibrdkafka && !(await serves(job.server, COORDINATORS));
    wrong.set(
      feature,
      isKnown ? { ok: 'unsupported', detail: `${detail}; ${WHY}` } : { ok: false, detail },
    );
  }
  return wrong;
}

const COORDINATORS = 10;
const WHY =
  'librdkafka uses LZ4 only with a broker that serves FindCoordinator 0, which comes with consumer groups';

/** In the words of the other suites: one result a feature, or one for a client that was not run. */
function resultsOf({ name }: Client, run: Run): Result[] {
  if ('skipped' in run) {
    return [{ suite: name, check: 'every feature', verdict: 'skipped', reason: run.skipped }];
  }
  return [...run.outcomes].map(([check, { ok, detail }]) => ({
    suite: name,
    check,
    verdict: ok === 'unsupported' ? ok : ok ? 'passed' : 'failed',
    reason: ok === true ? '' : detail,
  }));
}
