import type { SimulatedRandom } from '../simulation/env/simulated-random.ts';
import { framed, requestHeader } from '../support/kafka-requests.ts';
import { BrokerWorld } from '../unit/broker/broker-world.ts';
import {
  type Begun,
  ConnectionWorld,
  type ScriptedAnswer,
  type ScriptedName,
} from '../unit/kafka/connection-world.ts';

const REQUESTS = 25;
const MAX_FRAME_BYTES = 2048;
const PIPELINED = 4;
const MEMORY_BYTES = 1024 * 1024;

/** What a client sends: a request, or something after which nothing is read. */
interface Sent {
  readonly id: number;
  readonly name: ScriptedName;
  readonly version: number;
  readonly text: string;
  readonly poison: string | null;
}

/**
 * A client that sends requests, cut anywhere, and what else can happen to a connection meanwhile, in an
 * order drawn from a seed; what may be seen of it is looked at after every step.
 */
export class KafkaConnectionRun {
  /** How often what was done. */
  readonly did = new Map<string, number>();
  readonly #random: SimulatedRandom;
  readonly #world: ConnectionWorld;
  readonly #sent: Sent[];
  #bytes: Buffer;
  readonly #ended = new Map<number, ScriptedAnswer>();
  /** Of requests whose answers are on their way, or never will be. */
  readonly #told = new Map<number, number>();
  #heldByOthers = 0;

  static async open(random: SimulatedRandom): Promise<KafkaConnectionRun> {
    const world = await BrokerWorld.open({
      'socket.request.max.bytes': `${MAX_FRAME_BYTES}`,
      'kafka.connection.max.requests': `${PIPELINED}`,
      'queued.max.request.bytes': `${MEMORY_BYTES}`,
    });
    return new KafkaConnectionRun(random, new ConnectionWorld(world));
  }

  private constructor(random: SimulatedRandom, world: ConnectionWorld) {
    this.#random = random;
    this.#world = world;
    const isPoisoned = random.chance(0.5);
    const poisonAt = isPoisoned ? random.below(REQUESTS) : REQUESTS;
    this.#sent = Array.from({ length: REQUESTS }, (_, at) => this.#draw(at, at === poisonAt));
    this.#bytes = Buffer.concat(this.#sent.map((each) => this.#bytesOf(each)));
    world.wire.isSlow = true;
  }

  async go(): Promise<void> {
    for (let step = 0; step < 400 && !this.#isOver; step++) {
      await this.#step();
      await this.#world.turn();
      this.#check();
    }
    await this.#finish();
  }

  get #isOver(): boolean {
    return this.#world.wire.end !== 'open';
  }

  #draw(id: number, isPoison: boolean): Sent {
    const random = this.#random;
    const poisons = ['too large', 'negative size', 'no version', 'no API', 'cut short', 'no text'];
    return {
      id,
      name: random.chance(0.7) ? 'Overlap' : 'Alone',
      version: random.below(2),
      text: 'x'.repeat(random.chance(0.1) ? random.below(1900) : random.below(20)),
      poison: isPoison ? random.pick(poisons) : null,
    };
  }

  #bytesOf({ id, name, version, text, poison }: Sent): Buffer {
    const api = this.#world.scripted[name];
    if (poison === 'too large') {
      return framed(Buffer.alloc(MAX_FRAME_BYTES + 1));
    }
    if (poison === 'negative size') return Buffer.from('fffffff0', 'hex');
    if (poison === 'no version') return framed(requestHeader(api, 2, id));
    if (poison === 'no API') return framed(requestHeader({ ...api, key: 999 }, 0, id));
    const header = requestHeader(api, 0, id);
    if (poison === 'cut short') return framed(header, Buffer.of(0, 0, 0, 0, 0, 5, 97));
    if (poison === 'no text') return framed(header, Buffer.of(0, 0, 0, 0, 0, 1, 0xff));
    return this.#world.frame(name, id, text, version);
  }

  #note(what: string): void {
    this.did.set(what, (this.did.get(what) ?? 0) + 1);
  }

  async #step(): Promise<void> {
    const { wire, connection, memory } = this.#world;
    const random = this.#random;
    const what = random.pick([
      'send',
      'send',
      'end',
      'end',
      'take',
      'fill',
      'hold',
      'give',
      'time',
    ]);
    if (what === 'send' && !wire.isPaused && this.#bytes.length > 0) {
      this.#note('send');
      const count = 1 + random.below(random.chance(0.3) ? 300 : 30);
      connection.data(new Uint8Array(this.#bytes.subarray(0, count)));
      this.#bytes = this.#bytes.subarray(count);
    } else if (what === 'end') {
      this.#endOne(random.chance(0.05) ? random.pick(['nothing', 'close']) : 'answer');
    } else if (what === 'take') {
      wire.take();
      if (wire.isFull && random.chance(0.5)) this.#drain();
    } else if (what === 'fill' && random.chance(0.3)) {
      this.#note('fill');
      wire.isFull = true;
    } else if (what === 'hold' && this.#heldByOthers === 0 && random.chance(0.3)) {
      this.#note('hold');
      this.#heldByOthers = 1.25 * MEMORY_BYTES - memory.usedBytes - random.below(1000);
      memory.hold(this.#heldByOthers);
    } else if (what === 'give') {
      this.#giveAll();
    } else if (what === 'time') {
      await this.#world.world.pass(random.below(100));
    }
  }

  #drain(): void {
    this.#world.wire.isFull = false;
    this.#world.connection.drained();
  }

  #giveAll(): void {
    this.#world.memory.give(this.#heldByOthers);
    this.#heldByOthers = 0;
  }

  #endOne(how: ScriptedAnswer): void {
    const open = this.#world.begun.filter(({ id }) => !this.#ended.has(id));
    if (open.length === 0) return;
    const one = this.#random.pick(open);
    this.#note(typeof how === 'string' ? how : 'error');
    this.#ended.set(one.id, how);
    one.end(how);
  }

  /** What has to be true at any time. */
  #check(): void {
    const { begun, memory } = this.#world;
    for (const { id, context } of begun) {
      if (this.#told.has(id)) continue;
      this.#told.set(id, 0);
      context.whenSent(() => this.#told.set(id, this.#told.get(id)! + 1));
    }
    for (const [at, each] of begun.entries()) this.#checkBegun(each, at);
    const unanswered = begun.filter(({ id }) => !this.#ended.has(id));
    const isAlone = unanswered.length < 2 || unanswered.every(({ name }) => name === 'Overlap');
    if (!isAlone) throw new Error(`${unanswered.map(({ name }) => name)} are under way together`);
    const answers = this.#expectedAnswers();
    const given = this.#world.wire.answered;
    if (given.join() !== answers.slice(0, given.length).join()) {
      throw new Error(`answered ${given}, it should be ${answers}`);
    }
    if (begun.length - this.#answeredCount() > PIPELINED) throw new Error('too many are under way');
    if (memory.usedBytes < this.#heldByOthers) throw new Error('memory was given that others hold');
    if (this.#world.unexpected.length > 0) throw new Error('something unexpected was met');
  }

  #checkBegun({ id, name, text }: Begun, at: number): void {
    const sent = this.#sent[at]!;
    if (sent.poison !== null) throw new Error(`${sent.poison} has begun`);
    if (sent.id !== id || sent.name !== name || sent.text !== text) {
      throw new Error(`request ${id} has begun in the place of ${sent.id}`);
    }
  }

  /** Requests from the first on that are done with. */
  #answeredCount(): number {
    const at = this.#world.begun.findIndex(({ id }) => !this.#ended.has(id));
    return at < 0 ? this.#world.begun.length : at;
  }

  #expectedAnswers(): number[] {
    const answers: number[] = [];
    for (const { id } of this.#world.begun) {
      const how = this.#ended.get(id);
      if (how === undefined || how === 'close') break;
      if (how === 'answer') answers.push(id);
    }
    return answers;
  }

  async #finish(): Promise<void> {
    const { wire, world } = this.#world;
    for (let round = 0; round < 10 * REQUESTS && !this.#isOver; round++) {
      this.#giveAll();
      wire.takeAll();
      if (wire.isFull) this.#drain();
      if (!wire.isPaused && this.#bytes.length > 0) {
        this.#world.connection.data(new Uint8Array(this.#bytes));
        this.#bytes = Buffer.alloc(0);
      }
      await world.pass(1);
      this.#endOne('answer');
      await world.pass(1);
      this.#check();
    }
    this.#giveAll();
    await this.#checkEnd();
  }

  async #checkEnd(): Promise<void> {
    const { wire, begun, memory, connection, refused } = this.#world;
    const poison = this.#sent.find((each) => each.poison !== null);
    const isCut = [...this.#ended.values()].includes('close');
    if (this.#isOver !== (poison !== undefined || isCut)) {
      throw new Error(`the connection is ${wire.end} behind ${poison?.poison ?? 'sound requests'}`);
    }
    const isUnknown = poison?.poison === 'no API' || poison?.poison === 'no version';
    const ofPoison = isUnknown ? 'version not served' : 'malformed request';
    const named = isCut ? 'acks=0 and not stored' : ofPoison;
    if (this.#isOver && (refused.length !== 1 || !refused[0]!.startsWith(named))) {
      throw new Error(`it ended for ${refused}`);
    }
    const complete = poison?.id ?? REQUESTS;
    if (!isCut && begun.length !== complete)
      throw new Error(`${begun.length} of ${complete} began`);
    if (wire.answered.join() !== this.#expectedAnswers().join()) {
      throw new Error(`answered ${wire.answered}, it should be ${this.#expectedAnswers()}`);
    }
    this.#note(poison?.poison ?? 'sound');
    for (const { id, end } of begun) if (!this.#ended.has(id)) end();
    connection.closed();
    await this.#world.world.pass(1000);
    if (memory.usedBytes !== 0) throw new Error(`${memory.usedBytes} bytes were not given back`);
    const wrong = [...this.#told].find(([, times]) => times !== 1);
    if (wrong !== undefined) throw new Error(`request ${wrong[0]} was told ${wrong[1]} times`);
  }
}
