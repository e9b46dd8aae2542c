import { expect, test } from 'vitest';
import { Controller } from '../../src/controller/controller.ts';
import type { Env } from '../../src/env/ports.ts';
import { topicByName } from '../../src/metadata/image.ts';
import { NO_BROKER_EPOCH, nodeId } from '../../src/model/ids.ts';
import { MetadataQuorum, NO_PEERS } from '../../src/quorum/metadata-quorum.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { simulatedEnv } from '../simulation/env/simulated-env.ts';
import { SimulatedRandom } from '../simulation/env/simulated-random.ts';
import { registrationOf } from '../support/broker-registration.ts';
import { firstSeed } from '../support/property-seed.ts';

const SEEDS = 100;
const LIVES = 8;

/** What clients were told, over all lives of the controller. */
interface Told {
  /** Topics by name, with their ids; null for deleted ones. */
  readonly topics: Map<string, string | null>;
  /** Names whose last request was not answered: anything may have become of them. */
  readonly unsure: Set<string>;
  producerIds: number;
  leaderEpoch: number;
  brokerEpoch: number;
  answers: number;
  readonly failures: unknown[];
}

/** A controller that serves until its machine dies. */
async function live(env: Env, random: SimulatedRandom, told: Told, life: number): Promise<void> {
  const quorum = await MetadataQuorum.open(
    {
      dataDirectory: '/data',
      snapshotIntervalEntries: 10,
      onFatal: (error) => told.failures.push(error),
    },
    env,
    silentLogger,
  );
  const config = {
    defaultPartitions: 2,
    defaultReplicationFactor: 1,
    maxPartitionsPerTopic: 9,
    sessionTimeoutMs: 9000,
  };
  const identity = { clusterId: 'c', directoryId: 'd' };
  const controller = new Controller(config, random, quorum, identity, {});
  const self = { id: nodeId(1), directoryId: 'd' };
  if (!quorum.isBegun) await quorum.begin({ voters: [self], learners: [] });
  quorum.start(self, NO_PEERS, controller.replica);
  await quorum.read();
  for (const [name, id] of told.topics) {
    const found = topicByName(controller.image, name)?.topicId ?? null;
    if (!told.unsure.has(name) && found !== id) throw new Error(`${name} is ${found}, not ${id}`);
  }
  // The metadata is on the disk of the broker, and tells what that knows.
  const previousBrokerEpoch =
    controller.image.brokers.get(nodeId(1))?.brokerEpoch ?? NO_BROKER_EPOCH;
  const epoch = await controller.registerBroker(
    registrationOf(1, `${life}`, { previousBrokerEpoch }),
  );
  if (epoch <= told.brokerEpoch) throw new Error(`broker epoch ${epoch} is used again`);
  told.brokerEpoch = epoch;
  await checkLeaderEpoch(controller, told);
  const pause = (): Promise<void> =>
    new Promise((resolve) => {
      env.timers.after(random.between(0, 5), resolve);
    });
  await Promise.all([0, 1, 2].map((client) => serve(controller, random, told, { client, pause })));
}

/** One client after another request; every client has names of its own. */
async function serve(
  controller: Controller,
  random: SimulatedRandom,
  told: Told,
  { client, pause }: { readonly client: number; pause(): Promise<void> },
): Promise<void> {
  for (;;) {
    // So that requests also come while others are being stored.
    if (random.chance(0.5)) await pause();
    const name = `${client}-${random.below(5)}`;
    const pick = random.below(4);
    if (pick === 0) {
      const first = await controller.allocateProducerIds(10);
      if (first < told.producerIds) throw new Error(`producer id ${first} is handed out again`);
      told.producerIds = first + 10;
    } else {
      told.unsure.add(name);
      if (pick === 1) {
        const [result] = await controller.deleteTopics([{ name: name }]);
        if (result!.error?.row.name !== 'UNKNOWN_TOPIC_OR_PARTITION') {
          expect(result!.error).toBeUndefined();
        }
        told.topics.set(name, null);
      } else {
        const [created] = await controller.createTopics([
          { name, partitionCount: -1, replicationFactor: -1, configs: {} },
        ]);
        const known = topicByName(controller.image, name);
        if (created!.error === undefined) expect(known?.topicId).toBe(created!.topicId);
        told.topics.set(name, known!.topicId);
      }
      told.unsure.delete(name);
    }
    told.answers++;
  }
}

/** One topic is there all the time: every life of the broker leads it in a higher epoch. */
async function checkLeaderEpoch(controller: Controller, told: Told): Promise<void> {
  const name = 'always-there';
  await controller.createTopics([{ name, partitionCount: 1, replicationFactor: 1, configs: {} }]);
  const { leaderEpoch } = topicByName(controller.image, name)!.partitions[0]!;
  if (leaderEpoch <= told.leaderEpoch) throw new Error(`leader epoch ${leaderEpoch} is used again`);
  told.leaderEpoch = leaderEpoch;
}

test('what clients were told holds after any sequence of crashes', async () => {
  let answers = 0;
  for (let seed = firstSeed; seed < firstSeed + SEEDS; seed++) {
    const machine = simulatedEnv({ seed });
    const random = new SimulatedRandom(seed).fork('test');
    const told: Told = {
      topics: new Map(),
      unsure: new Set(),
      producerIds: 0,
      leaderEpoch: -1,
      brokerEpoch: -1,
      answers: 0,
      failures: [],
    };
    await machine.scheduler.complete(machine.env.files.makeDirectory('/data'));
    await machine.scheduler.complete(machine.env.files.syncDirectory('/'));
    const { failures } = told;
    for (let life = 0; life < LIVES; life++) {
      live(machine.env, random, told, life).catch((error) => failures.push(error));
      await machine.scheduler.run(machine.scheduler.nowMs + random.between(5, 120));
      machine.crash(random.chance(0.5) ? 'power' : 'process');
      if (failures.length > 0) {
        throw new Error(`seed ${seed}: ${failures[0]}`, { cause: failures[0] });
      }
      machine.restart();
    }
    answers += told.answers;
  }
  // The runs are worth something only if they got somewhere.
  expect(answers).toBeGreaterThan(SEEDS * 10);
});
