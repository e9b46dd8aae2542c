import { type Client, connect, VarveError } from '../../src/client/main.ts';
import type { ClusterNodes } from './nodes.ts';
import type { Wires } from './wires.ts';

const FAULTS = ['kill', 'freeze', 'cut'] as const;
type Fault = (typeof FAULTS)[number];

/** A creation is asked for so often, whatever became of those before. */
const EVERY_MS = 50;
const CALM_MS = 1_500;
/** After so long a fault is over, and none has to take longer. */
const FAULT_MS = 6_000;

export interface FailoverResult {
  /** Milliseconds from each fault to the first topic that was asked for after it and made. */
  readonly times: ReadonlyMap<Fault, readonly number[]>;
  readonly created: number;
  readonly lost: readonly string[];
}

/**
 * Kills, freezes or cuts off the active controller again and again, while topics are made by way of the
 * other nodes, in an open loop; and looks at the end which of those that were answered are there.
 */
export async function failover(
  nodes: ClusterNodes,
  wires: Wires,
  rounds: number,
  canCut: boolean,
): Promise<FailoverResult> {
  const clients = new Map<number, Client>();
  for (const id of nodes.ids) {
    clients.set(id, await connect({ brokers: [nodes.address(id)], requestTimeoutMs: 10_000 }));
  }
  const load = new Load(nodes, clients);
  const times = new Map<Fault, number[]>();
  const kinds = FAULTS.filter((fault) => canCut || fault !== 'cut');
  load.begin();
  for (let round = 0; round < rounds; round++) {
    await delay(CALM_MS + 500 * Math.random());
    const kind = kinds[round % kinds.length]!;
    const victim = await controllerOf(clients, nodes.ids);
    load.avoid(victim);
    await delay(100);
    const atMs = performance.now();
    await inject(kind, victim, nodes, wires);
    const took = await load.nextCreated(atMs, FAULT_MS);
    times.set(kind, [...(times.get(kind) ?? []), took]);
    console.error(`round ${round + 1}: ${kind} of node ${victim}: ${took.toFixed(0)} ms`);
    await undo(kind, victim, nodes, wires);
    load.avoid(undefined);
  }
  await load.end();
  await delay(2_000);
  const lost = await missing(clients.get(nodes.ids[0]!)!, load.created);
  await Promise.all([...clients.values()].map((client) => client.close()));
  return { times, created: load.created.size, lost };
}

async function inject(kind: Fault, id: number, nodes: ClusterNodes, wires: Wires): Promise<void> {
  if (kind === 'kill') nodes.signal(id, 'SIGKILL');
  else if (kind === 'freeze') nodes.signal(id, 'SIGSTOP');
  else wires.cut(id);
}

async function undo(kind: Fault, id: number, nodes: ClusterNodes, wires: Wires): Promise<void> {
  if (kind === 'kill') await nodes.start(id);
  else if (kind === 'freeze') nodes.signal(id, 'SIGCONT');
  else wires.mend(id);
}

/** As most nodes say. */
async function controllerOf(
  clients: ReadonlyMap<number, Client>,
  ids: readonly number[],
): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const told = await Promise.all(
      ids.map(async (id) => (await clients.get(id)!.admin().describeCluster()).controllerId),
    );
    const [first] = told;
    if (first !== undefined && first >= 0 && told.every((id) => id === first)) return first;
    await delay(100);
  }
  throw new Error('the nodes do not agree on a controller');
}

async function missing(client: Client, created: ReadonlySet<string>): Promise<string[]> {
  const there = new Set((await client.admin().listTopics()).map(({ name }) => name));
  return [...created].filter((name) => !there.has(name));
}

/** Creates topics in an open loop. */
class Load {
  readonly created = new Set<string>();
  readonly #nodes: ClusterNodes;
  readonly #clients: ReadonlyMap<number, Client>;
  #avoided: number | undefined;
  #count = 0;
  #isOver = false;
  #timer: NodeJS.Timeout | undefined;
  readonly #pending = new Set<Promise<void>>();
  #onCreated: (askedMs: number) => void = () => {};

  constructor(nodes: ClusterNodes, clients: ReadonlyMap<number, Client>) {
    this.#nodes = nodes;
    this.#clients = clients;
  }

  begin(): void {
    this.#timer = setInterval(() => this.#one(), EVERY_MS);
  }

  /** Nothing is asked of this node: it will not answer. */
  avoid(id: number | undefined): void {
    this.#avoided = id;
  }

  /** Milliseconds from `atMs` until a topic is made that was asked for after it. */
  nextCreated(atMs: number, limitMs: number): Promise<number> {
    return new Promise((resolve) => {
      const late = setTimeout(() => resolve(limitMs), limitMs);
      this.#onCreated = (askedMs) => {
        if (askedMs < atMs) return;
        clearTimeout(late);
        this.#onCreated = () => {};
        resolve(performance.now() - atMs);
      };
    });
  }

  async end(): Promise<void> {
    this.#isOver = true;
    clearInterval(this.#timer);
    await Promise.all(this.#pending);
  }

  #one(): void {
    if (this.#isOver) return;
    const ids = this.#nodes.ids.filter((id) => id !== this.#avoided);
    const client = this.#clients.get(ids[this.#count % ids.length]!)!;
    const name = `t${this.#count++}`;
    const askedMs = performance.now();
    const work = client
      .admin()
      .createTopic({ name })
      .then(
        () => {
          this.created.add(name);
          this.#onCreated(askedMs);
        },
        (error: unknown) => {
          if (!(error instanceof VarveError)) throw error;
        },
      );
    this.#pending.add(work);
    void work.finally(() => this.#pending.delete(work));
  }
}

const delay = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
