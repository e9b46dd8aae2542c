import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ChangePlan } from '../../src/controller/change-plan.ts';
import { createPartitions, deleteTopics } from '../../src/controller/change-topics.ts';
import { createTopics } from '../../src/controller/create-topics.ts';
import { TopicConfigRules } from '../../src/controller/topic-configs.ts';
import { unregisterBroker } from '../../src/controller/unregister-broker.ts';
import { emptyImage, imageRecords, type MetadataImage, replay } from '../../src/metadata/image.ts';
import type { MetadataRecord } from '../../src/metadata/metadata-records.ts';
import { ApiError, Errors } from '../../src/model/errors.ts';
import { type BrokerEpoch, NO_BROKER_EPOCH, nodeId } from '../../src/model/ids.ts';
import { SimulatedRandom } from '../simulation/env/simulated-random.ts';
import { ClusterMetadata } from '../support/cluster-metadata.ts';

const NODES = 4;

/** What the disk of a broker holds. */
interface Disk {
  readonly directoryId: string;
  /** The newest of its registrations in the metadata that it has. */
  readonly epoch: BrokerEpoch;
  readonly position: number;
}

/** A broker as it is, whatever the metadata say of it. */
interface Machine {
  disk: Disk;
  copy: Disk;
  /** Of its running process; null for none that was let in. */
  brokerEpoch: BrokerEpoch | null;
  /** What a message of the process before it says that is still on its way. */
  older: { readonly brokerEpoch: BrokerEpoch | null; readonly position: number };
}

const config = {
  defaultPartitions: 2,
  defaultReplicationFactor: 3,
  maxPartitionsPerTopic: 20,
  sessionTimeoutMs: 1,
};

/** Brokers that start, stop, crash, and lose their disks, and the checks that hold all the time. */
class Lifecycle {
  readonly cluster = ClusterMetadata.formed();
  readonly machines: Machine[] = [];
  readonly #random: SimulatedRandom;
  /** Who has led under which leader epoch of which partition, as a broker epoch. */
  readonly #leaders = new Map<string, BrokerEpoch>();
  readonly #directories = new Map<string, string>();
  readonly #leaderEpochs = new Map<string, number>();
  /** The last broker epoch in which a directory has served. */
  readonly #served = new Map<string, BrokerEpoch>();
  /** The last broker epoch that a directory has had on its disk, before it was put back if it was. */
  readonly #known = new Map<string, BrokerEpoch>();
  readonly #brokerEpochs = new Set<BrokerEpoch>();
  readonly done: Map<string, number>;
  #serial = 0;

  constructor(seed: number, done: Map<string, number>) {
    this.#random = new SimulatedRandom(seed);
    this.done = done;
    for (let id = 0; id < NODES; id++) {
      const disk = { directoryId: `d${id}`, epoch: NO_BROKER_EPOCH, position: 0 };
      this.machines.push({
        disk,
        copy: disk,
        brokerEpoch: null,
        older: { brokerEpoch: null, position: 0 },
      });
    }
  }

  get image(): MetadataImage {
    return this.cluster.image;
  }

  step(kind: number, id: number, pick: number): void {
    const machine = this.machines[id]!;
    const { image } = this;
    if (kind < 3 || kind === 14) {
      machine.older = { brokerEpoch: machine.brokerEpoch, position: machine.disk.position };
    }
    if (kind < 3) this.#start(id, machine, pick);
    else if (kind < 5) this.#catchUp(id, machine);
    else if (kind < 8) this.#heartbeat(id, machine.brokerEpoch, machine.disk.position, pick);
    else if (kind === 8)
      this.#heartbeat(id, machine.older.brokerEpoch, machine.older.position, pick);
    else if (kind === 9) this.#count('fenced', this.cluster.fence(id, pick % NODES).length);
    else if (kind === 10) this.#createTopic(pick);
    else if (kind === 11) this.#changeTopics(pick);
    else if (kind === 12) this.#topicOfTwo(pick);
    else if (kind === 13) machine.copy = machine.disk;
    else if (kind === 14) this.#restore(id, machine, pick);
    else this.#unregister(id);
    if (this.image !== image) this.#check();
  }

  #start(id: number, machine: Machine, pick: number): void {
    const { directoryId, epoch } = machine.disk;
    machine.brokerEpoch = null;
    const isFenced = pick % 8 !== 0;
    const known = this.image.brokers.get(nodeId(id));
    const served = this.#served.get(directoryId) ?? NO_BROKER_EPOCH;
    // Whoever holds partitions holds them in the directory that it was known with.
    const isStranger = known !== undefined && known.directoryId !== directoryId;
    const holds = [...this.image.topics.values()].some(({ partitions }) =>
      partitions.some(({ replicas }) => replicas.includes(nodeId(id))),
    );
    const isOlder = known !== undefined && !isStranger && epoch < served;
    try {
      const more = { directoryId, isFenced, previousBrokerEpoch: epoch };
      const granted = this.cluster.register(id, `i${this.#serial++}`, more);
      expect(isOlder || (isStranger && holds)).toBe(false);
      expect(this.#brokerEpochs.has(granted)).toBe(false);
      this.#brokerEpochs.add(granted);
      // Of a directory without partitions nothing has to be remembered once another took its place.
      if (known === undefined || isStranger) this.#served.delete(directoryId);
      // Killed before the answer came: the metadata know of an incarnation that is no more.
      if (pick % 5 !== 0) machine.brokerEpoch = granted;
      // Who need not wait has the metadata on its own disk.
      if (!isFenced) this.#catchUp(id, machine);
      this.#count('registered');
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      expect(error.row).toBe(Errors.INVALID_REQUEST);
      expect(isOlder || (isStranger && holds)).toBe(true);
      this.#count(isOlder ? 'older copy refused' : 'stranger refused');
    }
  }

  #catchUp(id: number, machine: Machine): void {
    const known = this.image.brokers.get(nodeId(id));
    const isOwn = known?.directoryId === machine.disk.directoryId;
    const epoch = isOwn ? known.brokerEpoch : machine.disk.epoch;
    machine.disk = { ...machine.disk, epoch, position: this.image.position };
    this.#known.set(machine.disk.directoryId, epoch);
  }

  #heartbeat(
    id: number,
    brokerEpoch: BrokerEpoch | null,
    currentPosition: number,
    pick: number,
  ): void {
    if (brokerEpoch === null) return;
    const wants = { wantsFence: pick % 11 === 0, wantsShutdown: pick % 13 === 0 };
    const current = this.image.brokers.get(nodeId(id))?.brokerEpoch;
    try {
      const beat = { brokerEpoch, currentPosition, ...wants };
      const answer = this.cluster.heartbeat(id, beat);
      expect(current).toBe(brokerEpoch);
      expect(answer.isFenced).toBe(this.cluster.broker(id).state === 'fenced');
      expect(answer.shouldShutdown && !answer.isFenced).toBe(false);
      this.#count(answer.isFenced ? 'told to wait' : 'told to serve');
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      expect(error.row).toBe(Errors.STALE_BROKER_EPOCH);
      expect(current).not.toBe(brokerEpoch);
      this.#count('stale');
    }
  }

  #createTopic(pick: number): void {
    const name = `t${pick % 7}`;
    this.#plan((plan) => {
      const topic = { name, partitionCount: 1 + (pick % 4), replicationFactor: -1, configs: {} };
      const configRules = new TopicConfigRules({});
      const [created] = createTopics(plan, [topic], { config, random: this.#random, configRules });
      if (created!.error === undefined) this.#count('created');
    });
  }

  #changeTopics(pick: number): void {
    const topics = [...this.image.topics.values()];
    const topic = topics[pick % Math.max(1, topics.length)];
    if (topic === undefined) return;
    const { name, partitions } = topic;
    this.#plan((plan) => {
      if (pick % 2 === 0) deleteTopics(plan, [{ name }]);
      else createPartitions(plan, [{ name, totalCount: partitions.length + 1 }], config);
    });
    this.#count(pick % 2 === 0 ? 'deleted' : 'extended');
  }

  /** Of two replicas, which requests cannot ask for yet. */
  #topicOfTwo(pick: number): void {
    const active = [...this.image.brokers.values()].filter(({ state }) => state === 'unfenced');
    if (active.length < 2) return;
    const replicas = [0, 1].map((at) => active[(pick + at) % active.length]!.nodeId);
    this.cluster.topic(`two-${this.#serial++}`, replicas);
    this.#count('of two');
  }

  /** Comes with an old copy of its disk, or an empty one. */
  #restore(id: number, machine: Machine, pick: number): void {
    machine.disk =
      pick % 3 === 0
        ? { directoryId: `d${id}-${this.#serial++}`, epoch: NO_BROKER_EPOCH, position: 0 }
        : machine.copy;
    this.#start(id, machine, pick);
  }

  #unregister(id: number): void {
    try {
      this.cluster.decide((image) => unregisterBroker(image, nodeId(id)));
      this.#count('unregistered');
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
    }
  }

  #plan(change: (plan: ChangePlan) => void): void {
    const plan = new ChangePlan(this.image, this.image.position);
    change(plan);
    this.cluster.write(plan.records);
  }

  #count(what: string, times = 1): void {
    this.done.set(what, (this.done.get(what) ?? 0) + times);
  }

  #check(): void {
    const { brokers, topics, removedTopics } = this.image;
    for (const { nodeId: id, state, brokerEpoch, directoryId } of brokers.values()) {
      if (state !== 'unfenced') continue;
      // It knows that it is registered: it leads nothing under an epoch that it has lost.
      expect(this.#known.get(directoryId), `broker ${id}`).toBe(brokerEpoch);
      this.#served.set(directoryId, brokerEpoch);
    }
    for (const { topicId, partitions } of topics.values()) {
      expect(removedTopics.has(topicId)).toBe(false);
      for (const [index, { leader, leaderEpoch, isr }] of partitions.entries()) {
        const name = `${topicId}-${index}`;
        expect(leaderEpoch).toBeGreaterThanOrEqual(this.#leaderEpochs.get(name) ?? 0);
        this.#leaderEpochs.set(name, leaderEpoch);
        const canLead = isr.filter((node) => brokers.get(node)?.state === 'unfenced');
        if (leader === null) {
          expect(canLead).toEqual([]);
          continue;
        }
        expect(canLead).toContain(leader);
        // One incarnation leads under a leader epoch, and no other after it.
        const led = `${name}@${leaderEpoch}`;
        const { brokerEpoch, directoryId } = brokers.get(leader)!;
        expect(this.#leaders.get(led) ?? brokerEpoch).toBe(brokerEpoch);
        this.#leaders.set(led, brokerEpoch);
        // Its records are where it was led before, and nowhere else under that id.
        const on = `${name} on ${leader}`;
        expect(this.#directories.get(on) ?? directoryId).toBe(directoryId);
        this.#directories.set(on, directoryId);
      }
    }
  }
}

const steps = fc.array(
  fc.record({
    kind: fc.nat({ max: 15 }),
    id: fc.nat({ max: NODES - 1 }),
    pick: fc.nat({ max: 1000 }),
  }),
  { minLength: 40, maxLength: 200, size: 'max' },
);

test('leaders are in service and in sync, under epochs of their own, whatever brokers do', () => {
  const done = new Map<string, number>();
  fc.assert(
    fc.property(fc.nat(), steps, (seed, each) => {
      const lifecycle = new Lifecycle(seed, done);
      for (const { kind, id, pick } of each) lifecycle.step(kind, id, pick);
      const { image } = lifecycle;
      const again = [...imageRecords(image)].reduce(
        (built: MetadataImage, record: MetadataRecord) => replay(built, record, image.position - 1),
        emptyImage,
      );
      expect(new Map(again.brokers)).toEqual(new Map(image.brokers));
      expect(new Map(again.topics)).toEqual(new Map(image.topics));
    }),
    { numRuns: 300 },
  );
  // The runs are worth something only if all of it has happened.
  const wanted = [
    ...['registered', 'stale', 'told to wait', 'told to serve', 'fenced', 'unregistered'],
    ...['older copy refused', 'stranger refused', 'created', 'deleted', 'extended', 'of two'],
  ];
  for (const what of wanted) expect(done.get(what), what).toBeGreaterThan(20);
});
