import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, connect } from '../../src/client/main.ts';
import { BrokerProcess, type Finished, run, TemporaryFolder } from './processes.ts';

/** Much more than anything here takes. */
const PATIENCE_MS = 60_000;

/** Nodes of a cluster, a process each, whose ports stay the same. */
export class ClusterProcesses implements AsyncDisposable {
  readonly folder = new TemporaryFolder();
  readonly nodes = new Map<number, BrokerProcess>();
  /** `HOST:PORT` where each listens for the others. */
  readonly peerAddresses = new Map<number, string>();
  /** Of all its voters. */
  voters = '';

  /** Starts voters, all at once; resolves when all serve. */
  static async started(
    ids: readonly number[] = [1, 2, 3],
    ...options: readonly string[]
  ): Promise<ClusterProcesses> {
    const cluster = await ClusterProcesses.prepared(ids, ...options);
    try {
      await cluster.start(...ids);
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
    return cluster;
  }

  /** Voters that are not started yet. */
  static async prepared(
    ids: readonly number[] = [1, 2, 3],
    ...options: readonly string[]
  ): Promise<ClusterProcesses> {
    const cluster = new ClusterProcesses();
    for (const id of ids) cluster.peerAddresses.set(id, `127.0.0.1:${await freePort()}`);
    cluster.voters = [...cluster.peerAddresses].map(([id, at]) => `${id}@${at}`).join(',');
    for (const id of ids) await cluster.add(id, ...options);
    return cluster;
  }

  /** A further node, with the voters of the others; `start` starts it. */
  async add(id: number, ...options: readonly string[]): Promise<BrokerProcess> {
    const peer = this.peerAddresses.get(id) ?? `127.0.0.1:${await freePort()}`;
    this.peerAddresses.set(id, peer);
    const node = new BrokerProcess(
      this.dataDir(id),
      ...['--node-id', `${id}`, '--voters', this.voters, '--peer', peer],
      ...options,
    );
    node.address = `127.0.0.1:${await freePort()}`;
    node.kafkaAddress = `127.0.0.1:${await freePort()}`;
    this.nodes.set(id, node);
    return node;
  }

  /** Resolves when they serve. */
  async start(...ids: readonly number[]): Promise<void> {
    await within(Promise.all(ids.map((id) => this.node(id).start())), `start of ${ids}`);
  }

  node(id: number): BrokerProcess {
    return this.nodes.get(id)!;
  }

  dataDir(id: number): string {
    return `${this.folder.path}/node-${id}`;
  }

  signal(id: number, signal: 'SIGSTOP' | 'SIGCONT'): void {
    process.kill(this.node(id).pid, signal);
  }

  /** A client that is told of all nodes, or of some. */
  connect(...ids: readonly number[]): Promise<Client> {
    const told = ids.length === 0 ? [...this.nodes.keys()] : ids;
    return connect({ brokers: told.map((id) => this.node(id).address) });
  }

  /** Runs `varve …` against a node; it must succeed. */
  async ask(id: number, ...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.try(id, ...args);
    if (code !== 0) throw new Error(`varve ${args.join(' ')} ended with ${code}: ${stderr}`);
    return stdout;
  }

  /** The same, whatever comes of it. */
  try(id: number, ...args: readonly string[]): Promise<Finished> {
    return within(run([...args, '--brokers', this.node(id).address]), `varve ${args.join(' ')}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.nodes.values()].map((node) => node.kill()));
    this.folder[Symbol.dispose]();
  }
}

/** The active controller as these nodes say, when they agree. */
export async function controllerOf(clients: readonly Client[]): Promise<number> {
  let found = -1;
  await until('the nodes agree on a controller', async () => {
    const told = await Promise.all(clients.map((each) => each.admin().describeCluster()));
    found = told[0]!.controllerId;
    return found >= 0 && told.every(({ controllerId }) => controllerId === found);
  });
  return found;
}

/** Resolves when `check` does with true; fails after a while. */
export async function until(
  what: string,
  check: () => boolean | Promise<boolean>,
  patienceMs: number = PATIENCE_MS,
): Promise<void> {
  const deadline = Date.now() + patienceMs;
  while (!(await check())) {
    if (Date.now() > deadline) throw new Error(`waited in vain: ${what}`);
    await sleep(50);
  }
}

/** Fails if a promise takes much too long. */
export async function within<T>(promise: Promise<T>, what: string): Promise<T> {
  const over = new AbortController();
  const late = sleep(PATIENCE_MS, undefined, { signal: over.signal }).then(() => {
    throw new Error(`waited in vain: ${what}`);
  });
  late.catch(() => {});
  try {
    return await Promise.race([promise, late]);
  } finally {
    over.abort();
  }
}

/** Below those that systems give to outgoing connections: nobody has it while a node is down. */
async function freePort(): Promise<number> {
  for (;;) {
    const server = createServer();
    const port = randomInt(10_000, 32_000);
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!isFree) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
}
