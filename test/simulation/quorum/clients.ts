import { type MetadataImage, topicByName } from '../../../src/metadata/image.ts';
import { ApiError } from '../../../src/model/errors.ts';
import { nodeId, type TopicId } from '../../../src/model/ids.ts';
import { registrationOf } from '../../support/broker-registration.ts';
import { SimulatedRandom } from '../env/simulated-random.ts';
import { type ClusterNode, type Life, TOPIC_SETTING } from './cluster-node.ts';
import type { History } from './history.ts';
import { CLIENTS, type CommandKind, type PlannedCommand } from './plan.ts';
import { type QuorumCluster, textOf } from './quorum-cluster.ts';

/** How long a client waits for an answer. */
const TIMEOUT_MS = 1_500;
/** On its way to a node, or back. */
const DELAY_US = [200, 3_000] as const;
/** Between an answer that says no and the next question. */
const RETRY_MS = [30, 400] as const;
/** How often it is tried before the client goes on with the next command. */
const ATTEMPTS = 20;
/** What all else rests on is tried as long as it takes. */
const PATIENT_ATTEMPTS = 2_000;

const REGISTERS = ['register-0', 'register-1', 'register-2'];
const NAMES = Array.from({ length: 40 }, (_, at) => `topic-${at}`);

type Answer<T> = { readonly value: T } | 'no-answer';

/** People's programs: each does what is planned for it, one after another, at whatever node it finds. */
export class Clients {
  readonly #cluster: QuorumCluster;
  readonly #history: History;
  /** By client, who answered it last. */
  readonly #known = new Map<number, number>();
  #running = 0;
  #serial = 0;

  constructor(cluster: QuorumCluster, history: History) {
    this.#cluster = cluster;
    this.#history = history;
  }

  get isDone(): boolean {
    return this.#running === 0;
  }

  /** What the others need: brokers to place topics on, and the registers. */
  begin(commands: readonly PlannedCommand[]): void {
    const random = new SimulatedRandom(1);
    this.#running = CLIENTS;
    const prepared = this.#prepare(random);
    for (let client = 0; client < CLIENTS; client++) {
      const own = commands.filter((command) => command.client === client);
      prepared
        .then(() => this.#work(own))
        .catch((error) => this.#cluster.report('clientsUnderstand', textOf(error)))
        .finally(() => this.#running--);
    }
  }

  /** Makes a topic that nobody deletes, and waits until it is there. */
  async createTopic(name: string, random = new SimulatedRandom(2)): Promise<void> {
    const topics = [newTopic(name)];
    const create = (at: ClusterNode) =>
      this.#call(at, ({ controller }) => controller.createTopics(topics));
    await this.#untilDone(0, random, create, PATIENT_ATTEMPTS);
  }

  async #prepare(random: SimulatedRandom): Promise<void> {
    await this.#untilDone(0, random, (at) => this.#register(at, 1), PATIENT_ATTEMPTS);
    for (const name of REGISTERS) await this.createTopic(name, random);
  }

  async #work(commands: readonly PlannedCommand[]): Promise<void> {
    for (const { client, kind, pauseMs, draw } of commands) {
      const random = new SimulatedRandom(draw);
      await this.#sleep(pauseMs);
      await this.#untilDone(client, random, (at) => this.#attempts[kind](at, random));
    }
  }

  /** Asks one node after another. Each attempt is a request of its own. */
  async #untilDone<T>(
    client: number,
    random: SimulatedRandom,
    attempt: (at: ClusterNode) => Promise<Answer<T>>,
    most = ATTEMPTS,
  ): Promise<T | null> {
    const { nodes } = this.#cluster;
    for (let count = 0; count < most; count++) {
      const known = nodes.get(this.#known.get(client) ?? 0);
      const isNew = known === undefined || count > 0 || random.chance(0.1);
      const at = isNew ? this.#next(known, random) : known;
      const answer = await attempt(at);
      if (answer !== 'no-answer') {
        this.#known.set(client, at.member.id);
        return answer.value;
      }
      this.#history.unanswered++;
      await this.#sleep(random.between(...RETRY_MS));
    }
    return null;
  }

  /** Who leads as the one that was asked last says, or anybody. */
  #next(asked: ClusterNode | undefined, random: SimulatedRandom): ClusterNode {
    const { nodes } = this.#cluster;
    const told = asked?.life?.controller.replica.leaderId ?? null;
    const leader = told === null ? undefined : nodes.get(told);
    return leader !== undefined && random.chance(0.6) ? leader : random.pick([...nodes.values()]);
  }

  readonly #attempts: Readonly<
    Record<CommandKind, (at: ClusterNode, random: SimulatedRandom) => Promise<Answer<unknown>>>
  > = {
    create: (at, random) => this.#create(at, random.pick(NAMES)),
    delete: (at, random) => this.#delete(at, random),
    configure: (at, random) => this.#configure(at, random.pick(REGISTERS)),
    allocate: (at, random) => this.#allocate(at, random.between(1, 10)),
    register: (at, random) => this.#register(at, random.between(1, 3)),
    read: (at) => this.#read(at, at),
    'read elsewhere': (at, random) =>
      this.#read(at, random.pick([...this.#cluster.nodes.values()])),
  };

  async #create(at: ClusterNode, name: string): Promise<Answer<string | null>> {
    const from = this.#history.now();
    const answer = await this.#call(at, ({ controller }) =>
      controller.createTopics([newTopic(name)]),
    );
    if (answer === 'no-answer') return answer;
    const { topicId = null, error } = answer.value[0]!;
    this.#expect(error?.row.name, 'TOPIC_ALREADY_EXISTS');
    if (topicId === null) return { value: null };
    const { ledger } = this.#cluster;
    const isCommitted = ledger.image.topics.has(topicId) || ledger.image.removedTopics.has(topicId);
    this.#committed(isCommitted, `topic ${name}`);
    this.#history.creations.push({ topicId, from, to: this.#history.now() });
    return { value: topicId };
  }

  /** One that was made, and that nobody is known to have deleted since. */
  async #delete(at: ClusterNode, random: SimulatedRandom): Promise<Answer<unknown>> {
    const { creations, deletions } = this.#history;
    const gone = new Set(deletions.filter(({ to }) => to < Infinity).map((one) => one.topicId));
    const there = creations.filter((one) => !gone.has(one.topicId));
    if (there.length === 0) return await this.#allocate(at, 1);
    const topicId = random.pick(there).topicId as TopicId;
    const from = this.#history.now();
    const answer = await this.#call(at, ({ controller }) => controller.deleteTopics([{ topicId }]));
    const error = answer === 'no-answer' ? undefined : answer.value[0]!.error?.row.name;
    this.#expect(error, 'UNKNOWN_TOPIC_ID');
    const isGone = answer !== 'no-answer';
    // Whoever it was that has deleted it: it is gone.
    this.#history.deletions.push({ topicId, from, to: isGone ? this.#history.now() : Infinity });
    if (isGone && error === undefined) {
      const { removedTopics } = this.#cluster.ledger.image;
      this.#committed(removedTopics.has(topicId), `the end of topic ${topicId}`);
    }
    return answer;
  }

  async #configure(at: ClusterNode, name: string): Promise<Answer<unknown>> {
    const value = `${++this.#serial}`;
    const from = this.#history.now();
    const answer = await this.#call(at, ({ controller }) =>
      controller.alterTopicConfigs([{ name, set: { [TOPIC_SETTING]: value }, unset: [] }]),
    );
    const isDone = answer !== 'no-answer';
    const to = isDone ? this.#history.now() : Infinity;
    this.#history.writes.push({ register: name, value, from, to });
    this.#cluster.note(at, () => `set ${name} to ${value}: ${isDone ? 'done' : 'not known'}`);
    if (isDone) {
      this.#expect(answer.value[0]!.error?.row.name);
      this.#committed(this.#cluster.ledger.wasSet.has(value), `value ${value} of ${name}`);
    }
    return answer;
  }

  async #allocate(at: ClusterNode, count: number): Promise<Answer<unknown>> {
    const from = this.#history.now();
    const answer = await this.#call(at, ({ controller }) => controller.allocateProducerIds(count));
    if (answer === 'no-answer') return answer;
    const { nextProducerId } = this.#cluster.ledger.image;
    this.#committed(nextProducerId >= answer.value + count, `producer ids from ${answer.value}`);
    this.#history.allocations.push({
      ...{ first: answer.value, count },
      ...{ from, to: this.#history.now() },
    });
    return answer;
  }

  async #register(at: ClusterNode, id: number): Promise<Answer<unknown>> {
    const incarnationId = `${++this.#serial}`;
    const from = this.#history.now();
    const answer = await this.#call(at, ({ controller }) =>
      controller.registerBroker(registrationOf(id, incarnationId, { isFenced: false })),
    );
    if (answer === 'no-answer') return answer;
    const brokerEpoch = answer.value;
    const known = this.#cluster.ledger.image.brokers.get(nodeId(id))?.brokerEpoch ?? -1;
    this.#committed(known >= brokerEpoch, `epoch ${brokerEpoch} of broker ${id}`);
    this.#history.registrations.push({
      ...{ nodeId: id, brokerEpoch },
      ...{ from, to: this.#history.now() },
    });
    return answer;
  }

  /** The leader says from where on, and some node shows what it has. */
  async #read(at: ClusterNode, shown: ClusterNode): Promise<Answer<unknown>> {
    const from = this.#history.now();
    const first = await this.#call(at, async ({ quorum, controller }) => {
      this.#cluster.noteRead(at);
      const position = await quorum.read();
      return { position, image: controller.image };
    });
    if (first === 'no-answer') return first;
    let { image } = first.value;
    if (shown !== at) {
      const second = await this.#call(shown, async ({ controller }) => {
        await controller.replica.reached(first.value.position);
        return controller.image;
      });
      if (second === 'no-answer') return second;
      image = second.value;
    }
    this.#cluster.count(shown === at ? 'read' : 'read elsewhere');
    const seen = seenIn(image);
    this.#cluster.note(shown, () => `read shows ${[...seen.values].flat().join(' ')}`);
    this.#history.reads.push({ from, to: this.#history.now(), ...seen });
    return first;
  }

  /** What was answered as done is committed, by whoever. */
  #committed(isCommitted: boolean, what: string): void {
    this.#history.acknowledged++;
    if (!isCommitted) this.#cluster.report('answeredIsCommitted', what);
  }

  #expect(error: string | undefined, ...expected: readonly string[]): void {
    if (error === undefined || expected.includes(error)) return;
    this.#cluster.report('clientsUnderstand', `an answer is ${error}`);
  }

  /** Calls a node. What it does not refuse by name is a bug. */
  #call<T>(node: ClusterNode, work: (life: Life) => Promise<T>): Promise<Answer<T>> {
    const { scheduler, random } = this.#cluster;
    const delayMs = (): number => random.between(...DELAY_US) / 1000;
    return new Promise((resolve) => {
      const giveUp = (): void => resolve('no-answer');
      const timeout = scheduler.after(TIMEOUT_MS, giveUp);
      const answer = (given: Answer<T>): void => {
        scheduler.after(delayMs(), () => {
          timeout.cancel();
          resolve(given);
        });
      };
      scheduler.after(delayMs(), () => {
        const isThere = node.deliver((life) => {
          work(life).then(
            (value) => answer({ value }),
            (error) => {
              if (!(error instanceof ApiError)) this.#cluster.report('noCrash', textOf(error));
              answer('no-answer');
            },
          );
        });
        if (!isThere) answer('no-answer');
      });
    });
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#cluster.scheduler.after(ms, resolve);
    });
  }
}

const newTopic = (name: string) => ({
  ...{ name, partitionCount: 1, replicationFactor: 1, configs: {} },
});

function seenIn(image: MetadataImage) {
  const topicIds = new Set<string>();
  for (const { topicId } of image.topics.values()) topicIds.add(topicId);
  return {
    topicIds,
    values: new Map(
      REGISTERS.map((name) => [name, topicByName(image, name)?.configs.get(TOPIC_SETTING) ?? null]),
    ),
    nextProducerId: image.nextProducerId,
    brokerEpochs: new Map([...image.brokers.values()].map((b) => [b.nodeId, b.brokerEpoch])),
  };
}
