import { parseSettings } from '../../../src/config/parse-settings.ts';
import { type Api, type ApiSchema, api } from '../../../src/kafka/api.ts';
import { servedApis } from '../../../src/kafka/api-table.ts';
import { type ApiTable, Connection } from '../../../src/kafka/connection.ts';
import { int32, type MessageOf, string } from '../../../src/kafka/fields.ts';
import { kafkaSettings } from '../../../src/kafka/kafka-config.ts';
import type { RequestContext } from '../../../src/kafka/request-context.ts';
import type { Message } from '../../support/kafka-messages.ts';
import { answerOf, apiNamed, requestFrame } from '../../support/kafka-requests.ts';
import { BrokerWorld } from '../broker/broker-world.ts';
import { TwinWire } from './twin-wire.ts';

/** Names of two APIs that do what the test says: one whose requests overlap, and one other. */
export type ScriptedName = 'Overlap' | 'Alone';

export type ScriptedAnswer = 'answer' | 'nothing' | 'close' | Error;

/** A request that has begun and waits for the test to say how it ends. */
export interface Begun {
  readonly name: ScriptedName;
  readonly id: number;
  readonly text: string;
  readonly context: RequestContext;
  end(how?: ScriptedAnswer): void;
}

const request = { id: int32('0+'), text: string('0+') };
const response = { id: int32('0+'), text: string('0+') };

/** A connection over a twin of its socket, on virtual time. */
export class ConnectionWorld {
  readonly world: BrokerWorld;
  readonly wire = new TwinWire();
  readonly connection: Connection;
  /** Scripted requests, in the order in which they began. */
  readonly begun: Begun[] = [];
  readonly refused: string[] = [];
  closed = 0;
  /** The brokers that clients of the listener can reach. */
  reachable: readonly number[] = [1];
  #areAnswersBroken = false;
  readonly scripted: { readonly [Name in ScriptedName]: Api };

  static async open(
    settings: { [key: string]: string } = {},
    onWorld: (world: BrokerWorld) => Promise<void> = async () => {},
  ): Promise<ConnectionWorld> {
    const world = await BrokerWorld.open(settings);
    await onWorld(world);
    return new ConnectionWorld(world);
  }

  constructor(world: BrokerWorld, wire = new TwinWire()) {
    this.world = world;
    this.wire = wire;
    this.scripted = { Overlap: this.#scripted('Overlap'), Alone: this.#scripted('Alone') };
    const { clock, timers } = world.machine.env;
    const { Overlap, Alone } = this.scripted;
    const apis: ApiTable = new Map([...servedApis, Overlap, Alone].map((each) => [each.key, each]));
    this.connection = new Connection(this.wire, {
      broker: world.broker,
      config: parseSettings(kafkaSettings, world.settings),
      endpoints: () =>
        this.reachable.map((nodeId) => ({ nodeId, host: 'broker.example', port: 9092, rack: '' })),
      clock,
      timers,
      apis,
      onRefused: (reason, detail) => {
        this.refused.push(detail === undefined ? reason : `${reason}: ${detail}`);
      },
      onClosed: () => {
        this.closed++;
      },
    });
  }

  #scripted(name: ScriptedName): Api {
    const schema: ApiSchema<typeof request, typeof response> = {
      key: name === 'Overlap' ? 1000 : 1001,
      name,
      versions: '0-1',
      flexible: '1+',
      overlaps: name === 'Overlap',
      request,
      response,
    };
    return api<typeof request, typeof response>(schema, (message, context) => {
      const { promise, resolve, reject } = Promise.withResolvers<MessageOf<
        typeof response
      > | null>();
      this.begun.push({
        name,
        ...message,
        context,
        end: (how = 'answer') => {
          if (how instanceof Error) reject(how);
          else if (how === 'close') context.close();
          // What an int16 cannot say is the length of no string.
          const text = this.#areAnswersBroken ? 'x'.repeat(40_000) : message.text;
          resolve(how === 'answer' ? { ...message, text } : null);
        },
      });
      return promise;
    });
  }

  get memory(): BrokerWorld['broker']['memory'] {
    return this.world.broker.memory;
  }

  /** What the broker has logged as unexpected. */
  get unexpected(): string[] {
    return this.world.lines
      .filter(({ message }) => message === 'unexpected error')
      .map(({ fields }) => String(fields['what']));
  }

  /** A scripted request; its correlation id is its id. */
  frame(name: ScriptedName, id: number, text = '', version = 0): Buffer {
    return requestFrame(this.scripted[name], version, id, { id, text });
  }

  /** Gives bytes to the connection, and a turn to what they set going. */
  async send(...frames: readonly Uint8Array[]): Promise<void> {
    this.connection.data(new Uint8Array(Buffer.concat(frames)));
    await this.turn();
  }

  /** A request of a real API, and its answer. */
  async ask(name: string, version: number, message: Message): Promise<Message> {
    const known = apiNamed(name);
    const sentBefore = this.wire.frames.length;
    await this.send(requestFrame(known, version, 77, message));
    await this.world.until(() => this.wire.frames.length > sentBefore || this.wire.end !== 'open');
    return answerOf(known, version, this.wire.frames[sentBefore]!);
  }

  /** Lets everything happen that needs no time but a turn of its own. */
  async turn(): Promise<void> {
    await this.world.pass(1);
  }

  /** From now on no scripted answer can be written. */
  breakAnswers(): void {
    this.#areAnswersBroken = true;
  }

  begunIds(): number[] {
    return this.begun.map(({ id }) => id);
  }

  async end(id: number, how?: ScriptedAnswer): Promise<void> {
    this.begun.find((each) => each.id === id)!.end(how);
    await this.turn();
  }
}
