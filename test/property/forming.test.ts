import { expect, test } from 'vitest';
import { NodeWorld, type WorldNode } from '../simulation/quorum/node-world.ts';
import { firstSeed } from '../support/property-seed.ts';

const SEEDS = 40;
const ROUNDS = 30;
const VOTERS = [1, 2, 3];
const ALL = [1, 2, 3, 4];

/** Nodes that form a cluster, and one that joins it, while machines die and wires go dead. */
class Storm {
  readonly world: NodeWorld;
  crashes = 0;
  cuts = 0;
  wipes = 0;
  #wiped = 0;

  constructor(world: NodeWorld) {
    this.world = world;
  }

  async begin(): Promise<void> {
    for (const id of ALL) {
      const node = await this.world.addStopped(id);
      // The steps of beginning are where it matters.
      node.onStep = () => {
        if (this.world.random.chance(0.2)) this.#crashSoon(node);
      };
      if (this.world.random.chance(0.7)) this.world.start(node);
    }
  }

  async round(): Promise<void> {
    const { world } = this;
    const { random } = world;
    const what = random.below(10);
    const node = world.node(random.pick(ALL));
    if (what === 0) this.#crashSoon(node);
    if (what === 1) {
      this.cuts++;
      world.wires.cut(node.address, world.node(random.pick(ALL)).address);
    }
    if (what === 2) world.wires.mend();
    if (what === 3) await this.#wipe();
    for (const id of ALL) {
      if (!world.node(id).isRunning && random.chance(0.4)) world.start(world.node(id));
    }
    await world.pass(random.between(1, random.pick([20, 300, 3_000])));
  }

  async heal(): Promise<void> {
    this.world.wires.mend();
    for (const node of this.world.nodes.values()) node.onStep = () => {};
    // Crashes that are due.
    await this.world.pass(10);
    for (const node of this.world.nodes.values()) {
      if (!node.isRunning) this.world.start(node);
    }
  }

  /** The voter that lost its disk, once it was one of a cluster. */
  get wiped(): number {
    return this.#wiped;
  }

  #crashSoon(node: WorldNode): void {
    const { incarnation } = node.machine;
    // Not within its own call.
    this.world.scheduler.after(this.world.random.between(0, 3), () => {
      if (!incarnation.isAlive || !node.isRunning) return;
      this.crashes++;
      this.world.crash(node, this.world.random.pick(['power', 'process']));
    });
  }

  /** Of one voter only, and when all have begun: more would be more than a cluster outlives. */
  async #wipe(): Promise<void> {
    const { world } = this;
    if (this.#wiped !== 0 || !world.random.chance(0.3)) return;
    if (!VOTERS.every((id) => hasBegun(world, id))) return;
    this.#wiped = world.random.pick(VOTERS);
    this.wipes++;
    await world.wipe(world.node(this.#wiped));
  }
}

const hasBegun = (world: NodeWorld, id: number): boolean =>
  [...world.begun.keys()].some((key) => key.startsWith(`${id} `));

test('whatever crashes while it is formed, there is one cluster, and all are of it', async () => {
  let [crashes, cuts, wipes] = [0, 0, 0];
  for (let seed = firstSeed; seed < firstSeed + SEEDS; seed++) {
    const world = new NodeWorld(seed);
    const storm = new Storm(world);
    try {
      await storm.begin();
      for (let round = 0; round < ROUNDS; round++) await storm.round();
      await storm.heal();
      const { wiped } = storm;
      await world.replicated(
        'after all',
        ALL.filter((id) => id !== wiped),
      );
      const clusters = new Set(world.begun.values());
      if (clusters.size !== 1) throw new Error(`clusters: ${[...clusters].join()}`);
      // Who lost its disk as a voter has not begun again.
      await world.pass(5_000);
      if (wiped !== 0 && world.node(wiped).driver !== null) throw new Error(`${wiped} votes`);
    } catch (error) {
      throw new Error(`seed ${seed}: ${error}`, { cause: error });
    }
    crashes += storm.crashes;
    cuts += storm.cuts;
    wipes += storm.wipes;
  }
  // The runs are worth something only if they got somewhere.
  expect(crashes).toBeGreaterThan(SEEDS * 2);
  expect(cuts).toBeGreaterThan(SEEDS);
  expect(wipes).toBeGreaterThan(SEEDS / 10);
});
