import { expect, test } from 'vitest';
import { supportedFeatures } from '../../src/metadata/features.ts';
import { ApiError } from '../../src/model/errors.ts';
import { NO_BROKER_EPOCH, nodeId } from '../../src/model/ids.ts';
import { ControllerCluster, type ControllerNode } from '../support/controller-cluster.ts';
import { firstSeed } from '../support/property-seed.ts';

const SEEDS = 30;
const ROUNDS = 12;
const REQUESTS = 25;

/** What clients were told. */
interface Told {
  /** By name of a topic that was asked for once: `ok` or the name of the error. */
  readonly topics: Map<string, string>;
  /** First ids of blocks of ten. */
  readonly producerIds: number[];
  readonly violations: string[];
}

/** Requests by one broker, one after another, while leaders come and go. */
async function client(cluster: ControllerCluster, node: ControllerNode, told: Told): Promise<void> {
  const { forwarding, machine } = node;
  for (let i = 0; i < REQUESTS; i++) {
    await new Promise<void>((resolve) => {
      cluster.scheduler.after((machine.env.random.uint32() % 400) + 1, resolve);
    });
    const name = `${node.id}-${i}`;
    const topic = { name, partitionCount: 1, replicationFactor: 1, configs: {} };
    told.topics.set(
      name,
      await forwarding.createTopics([topic]).then(
        ([created]) => created!.error?.row.name ?? 'ok',
        (error: ApiError) => error.row.name,
      ),
    );
    const ids = await forwarding.allocateProducerIds(10).catch(passApiError);
    if (ids !== undefined) told.producerIds.push(ids);
    const known = newestPosition(cluster);
    const position = await forwarding.currentPosition().catch(passApiError);
    if (position !== undefined && position < known) {
      told.violations.push(`position ${position} is told when ${known} is committed`);
    }
  }
}

function passApiError(error: unknown): undefined {
  if (!(error instanceof ApiError)) throw error;
}

const newestPosition = (cluster: ControllerCluster): number =>
  Math.max(...[...cluster.nodes.values()].map(({ controller }) => controller.image.position));

async function runSeed(seed: number): Promise<Told> {
  const cluster = await ControllerCluster.started(seed);
  const told: Told = { topics: new Map(), producerIds: [], violations: [] };
  const broker = { nodeId: nodeId(1), incarnationId: 'i', directoryId: 'd', host: 'h', port: 1 };
  const more = { listeners: [], peerAddress: '', features: supportedFeatures };
  await cluster.run(
    cluster.other.forwarding.registerBroker({
      ...{ ...broker, ...more, rack: '', previousBrokerEpoch: NO_BROKER_EPOCH },
    }),
  );
  const nodes = [...cluster.nodes.values()];
  const done = Promise.all(nodes.map((node) => client(cluster, node, told)));
  let isOver = false;
  const end = (): void => {
    isOver = true;
  };
  done.then(end, end);
  for (let round = 0; !isOver && round < ROUNDS; round++) {
    await cluster.pass(300 + ((seed * 131 + round * 977) % 900));
    const { active } = cluster;
    if (active !== undefined) cluster.cutOff.add(active.id);
    await cluster.pass(round % 3 === 0 ? 200 : 2_500);
    cluster.cutOff.clear();
  }
  await cluster.run(done);
  const leader = await cluster.settled();
  await cluster.run(leader.controller.currentPosition());
  check(leader, told);
  return told;
}

function check({ controller }: ControllerNode, told: Told): void {
  const there = new Set([...controller.image.topics.values()].map(({ name }) => name));
  for (const [name, outcome] of told.topics) {
    if (outcome === 'ok' && !there.has(name))
      told.violations.push(`${name} was made and is not there`);
    if (outcome === 'NOT_CONTROLLER' && there.has(name)) {
      told.violations.push(`${name} was said not to be made and is there`);
    }
    // Each was asked for once, so one that exists already was made by a request that was made twice.
    if (!['ok', 'NOT_CONTROLLER', 'REQUEST_TIMED_OUT'].includes(outcome)) {
      told.violations.push(`${name} ended with ${outcome}`);
    }
  }
  const blocks = told.producerIds.toSorted((a, b) => a - b);
  for (const [i, first] of blocks.entries()) {
    if (i > 0 && first < blocks[i - 1]! + 10) told.violations.push(`id ${first} is given twice`);
  }
}

test('while leaders are cut off, no request is done twice, and no answer is wrong', async () => {
  const outcomes = new Map<string, number>();
  for (let seed = firstSeed; seed < firstSeed + SEEDS; seed++) {
    const { topics, violations } = await runSeed(seed);
    expect(violations, `seed ${seed}`).toEqual([]);
    for (const outcome of topics.values()) outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  }
  // Otherwise nothing of the kind was tried.
  expect(outcomes.get('ok')).toBeGreaterThan(SEEDS);
  expect(outcomes.get('REQUEST_TIMED_OUT')).toBeGreaterThan(SEEDS / 2);
}, 120_000);
