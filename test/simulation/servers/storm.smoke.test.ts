import { expect, test } from 'vitest';
import { adminMethods } from '../../../src/rpc/admin-service.ts';
import { RpcError } from '../../../src/rpc/transport.ts';
import { ServerCluster } from '../../support/server-cluster.ts';
import { SimulatedRandom } from '../env/simulated-random.ts';

const SEEDS = 30;
const STEPS = 40;
const VOTERS = [1, 2, 3];
/** An observer joins them. */
const NODES = [...VOTERS, 4];

interface Told {
  readonly created: Set<string>;
  readonly deleted: Set<string>;
  /** Nobody knows what became of them. */
  readonly unsure: Set<string>;
  readonly producerIds: number[];
}

/** Whole servers that are killed, stopped, started and asked in turn; at most one voter is missing at a time. */
class Storm {
  readonly told: Told = {
    created: new Set(),
    deleted: new Set(),
    unsure: new Set(),
    producerIds: [],
  };
  readonly counts = { crashes: 0, powerCuts: 0, stops: 0 };
  readonly #cluster: ServerCluster;
  readonly #random: SimulatedRandom;
  #count = 0;

  constructor(cluster: ServerCluster, random: SimulatedRandom) {
    this.#cluster = cluster;
    this.#random = random;
  }

  async step(): Promise<void> {
    const draw = this.#random.below(10);
    if (draw < 4) await this.#create();
    else if (draw < 5) await this.#delete();
    else if (draw < 6) await this.#allocate();
    else if (draw < 7) await this.#cluster.pass(this.#random.between(1, 3_000));
    else await this.#disturb();
  }

  async heal(): Promise<void> {
    for (const id of this.#down) await this.#cluster.run(this.#cluster.start(id));
    await this.#cluster.pass(2_000);
  }

  get #up(): number[] {
    return NODES.filter((id) => this.#cluster.nodes.get(id)?.server !== undefined);
  }

  get #down(): number[] {
    return NODES.filter((id) => !this.#up.includes(id));
  }

  async #create(): Promise<void> {
    const name = `t${this.#count++}`;
    const at = this.#random.pick(this.#up);
    const outcome = await answerOf(this.#cluster.createTopic(at, name, this.#random.between(1, 5)));
    if (outcome === 'ok') this.told.created.add(name);
    else this.told.unsure.add(name);
  }

  async #delete(): Promise<void> {
    const known = [...this.told.created];
    if (known.length === 0) return;
    const name = this.#random.pick(known);
    this.told.created.delete(name);
    const request = { names: [name] };
    const at = this.#random.pick(this.#up);
    const answer = await answerOf(this.#cluster.call(at, adminMethods.deleteTopics, request));
    const isDone = answer !== undefined && answer.topics[0]!.error === undefined;
    (isDone ? this.told.deleted : this.told.unsure).add(name);
  }

  async #allocate(): Promise<void> {
    const at = this.#random.pick(this.#up);
    const answer = await answerOf(this.#cluster.call(at, adminMethods.allocateProducerId, {}));
    if (answer !== undefined) this.told.producerIds.push(answer.producerId);
  }

  async #disturb(): Promise<void> {
    const [missing] = this.#down;
    if (missing !== undefined) {
      await this.#cluster.run(this.#cluster.start(missing));
      return;
    }
    const victim = this.#random.pick(NODES);
    const how = this.#random.pick(['crashes', 'powerCuts', 'stops'] as const);
    this.counts[how]++;
    if (how === 'stops') await this.#cluster.stop(victim);
    else this.#cluster.crash(victim, how === 'crashes' ? 'process' : 'power');
  }
}

/** What was answered; `undefined` if that is not known. */
async function answerOf<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof RpcError) return undefined;
    throw error;
  }
}

test(`whole servers under ${SEEDS} seeds keep what they have answered, and all serve when they are up`, async () => {
  const totals = { created: 0, crashes: 0, powerCuts: 0, stops: 0, producerIds: 0 };
  for (let seed = 1; seed <= SEEDS; seed++) {
    const cluster = await ServerCluster.started(seed, VOTERS);
    await cluster.run(cluster.start(4));
    const storm = new Storm(cluster, new SimulatedRandom(seed).fork('storm'));
    for (let step = 0; step < STEPS; step++) await storm.step();
    await storm.heal();
    const { created, deleted, unsure, producerIds } = storm.told;
    const all = await cluster.topics(1);
    for (const id of NODES) expect(await cluster.topics(id), `seed ${seed}`).toEqual(all);
    const there = new Set(all);
    expect(
      [...created].filter((name) => !there.has(name)),
      `seed ${seed}: lost`,
    ).toEqual([]);
    expect(
      [...deleted].filter((name) => there.has(name)),
      `seed ${seed}: back`,
    ).toEqual([]);
    expect(all.filter((name) => !created.has(name) && !unsure.has(name))).toEqual([]);
    expect(new Set(producerIds).size, `seed ${seed}: ids`).toBe(producerIds.length);
    for (const name of all) {
      expect(await cluster.leaders(4, name), `seed ${seed}: ${name}`).not.toContain(-1);
    }
    expect(await cluster.createTopic(4, 'at-last')).toBe('ok');
    expect(cluster.errors, `seed ${seed}`).toEqual([]);
    expect([...cluster.nodes.values()].flatMap(({ fatal }) => fatal)).toEqual([]);
    totals.created += created.size;
    totals.producerIds += producerIds.length;
    for (const how of ['crashes', 'powerCuts', 'stops'] as const) totals[how] += storm.counts[how];
  }
  // Less would say little.
  for (const count of Object.values(totals)) expect(count).toBeGreaterThan(SEEDS);
}, 600_000);
