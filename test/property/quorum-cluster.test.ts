import { expect, test } from 'vitest';
import { ApiError } from '../../src/model/errors.ts';
import { DriverCluster, type DriverNode } from '../simulation/quorum/driver-cluster.ts';
import { firstSeed } from '../support/property-seed.ts';

const SEEDS = 25;
const NODES = [1, 2, 3];
const ROUNDS = 80;

/** A cluster under faults: appends all the time, machines that die and come back, wires that are cut. */
class Storm {
  readonly cluster: DriverCluster;
  readonly #starting = new Set<number>();
  failure: unknown;
  crashes = 0;
  #serial = 0;

  constructor(cluster: DriverCluster) {
    this.cluster = cluster;
  }

  async round(): Promise<void> {
    const { cluster } = this;
    const { random } = cluster;
    const id = random.pick(NODES);
    const node = cluster.node(id);
    const what = random.below(8);
    if (what === 0 && node.driver !== null) this.#crash(node);
    if (what === 1) cluster.cutOff.add(id);
    if (what === 2) cluster.cutOff.clear();
    if (what === 3) this.#strandLeader();
    if (what === 4) for (const each of cluster.up) this.#crash(each);
    cluster.lossPercent = random.pick([0, 0, 5, 20]);
    for (const each of NODES) if (random.chance(0.3)) this.#start(each);
    for (const one of cluster.up) this.#append(one);
    await cluster.pass(random.between(1, random.pick([10, 300])));
  }

  /** What a leader appends while nobody hears it, others will cut off. */
  #strandLeader(): void {
    const { leader, cutOff } = this.cluster;
    if (leader === undefined) return;
    cutOff.clear();
    cutOff.add(leader.member.id);
    this.#append(leader, 30);
  }

  /** All faults end. */
  async heal(): Promise<void> {
    const { cluster } = this;
    cluster.cutOff.clear();
    cluster.lossPercent = 0;
    for (const id of NODES) this.#start(id);
    await cluster.until(() => this.failure !== undefined || cluster.up.length === NODES.length);
  }

  #crash(node: DriverNode): void {
    this.crashes++;
    this.cluster.crash(node.member.id, this.cluster.random.pick(['power', 'power', 'process']));
  }

  #start(id: number): void {
    if (this.cluster.node(id).driver !== null || this.#starting.has(id)) return;
    this.#starting.add(id);
    const note = (error: unknown): void => {
      this.failure ??= error;
    };
    void this.cluster
      .open(id)
      .catch(note)
      .finally(() => this.#starting.delete(id));
  }

  #append(node: DriverNode, most = 5): void {
    if (node.driver?.status.role !== 'leader') return;
    const texts = Array.from(
      { length: this.cluster.random.between(1, most) },
      () => `entry number ${this.#serial++}`,
    );
    for (const text of texts) {
      this.cluster.append(node, text).catch((error: unknown) => {
        // The leadership was lost; nobody knows what becomes of it.
        if (!(error instanceof ApiError)) this.failure ??= error;
      });
    }
  }
}

test('drivers under storms lose nothing that was acknowledged, and never differ', async () => {
  const seen = new Map<string, number>();
  let [acknowledged, crashes] = [0, 0];
  for (let seed = firstSeed; seed < firstSeed + SEEDS; seed++) {
    const cluster = await DriverCluster.started({
      ...{ seed, snapshotIntervalEntries: 10 },
      raft: { entriesKept: 3, messageBytesMax: 300 },
    });
    const storm = new Storm(cluster);
    try {
      for (let round = 0; round < ROUNDS; round++) await storm.round();
      await storm.heal();
      if (storm.failure !== undefined) throw storm.failure;
      await cluster.converged();
      for (const { fatal } of cluster.nodes.values()) if (fatal.length > 0) throw fatal[0];
    } catch (error) {
      throw new Error(`seed ${seed}: ${error}`, { cause: error });
    }
    acknowledged += cluster.acknowledged.length;
    crashes += storm.crashes;
    for (const [name, count] of cluster.counts) seen.set(name, (seen.get(name) ?? 0) + count);
  }
  // The runs are worth something only if they got somewhere.
  expect(acknowledged).toBeGreaterThan(SEEDS * 30);
  expect(crashes).toBeGreaterThan(SEEDS * 2);
  const kinds = ['vote', 'vote-answer', 'append', 'append-answer', 'append-refusal'];
  for (const kind of [...kinds, 'heartbeat', 'snapshot-chunk', 'restore']) {
    expect(seen.get(kind) ?? 0, kind).toBeGreaterThan(0);
  }
});
