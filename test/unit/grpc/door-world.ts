import { parseSettings } from '../../../src/config/parse-settings.ts';
import { grpcSettings } from '../../../src/grpc/grpc-config.ts';
import { GrpcDoor } from '../../../src/grpc/grpc-door.ts';
import { errorByCode } from '../../../src/model/errors.ts';
import { InProcessTransport } from '../../../src/rpc/in-process-transport.ts';
import type {
  FetchedPartition,
  FetchRequest,
  FetchResponse,
  PlainRecord,
  ProducedPartition,
  ProduceRequest,
  ProduceResponse,
} from '../../../src/rpc/log-messages.ts';
import { fetchMethod, produceMethod } from '../../../src/rpc/log-service.ts';
import {
  call,
  type Method,
  openStream,
  type TypedStream,
  type TypedStreamEvents,
} from '../../../src/rpc/method.ts';
import type { Channel, Listener, RpcStatus } from '../../../src/rpc/transport.ts';
import { roomyListener } from '../../support/listen-options.ts';
import { BrokerWorld } from '../broker/broker-world.ts';

export const MIB: number = 1024 * 1024;

/** A broker behind its gRPC door, and a client's channel to it, all on virtual time. */
export class DoorWorld {
  readonly world: BrokerWorld;
  readonly door: GrpcDoor;
  readonly unexpected: unknown[] = [];
  listener!: Listener;
  channel!: Channel;

  /** With a topic `t` of two partitions. */
  static async open(settings: { [key: string]: string } = {}): Promise<DoorWorld> {
    const world = await BrokerWorld.open({ 'log.retention.ms': '-1', ...settings });
    await world.createTopic('t', 2);
    const door = new DoorWorld(world);
    await door.listen();
    door.door.begin();
    return door;
  }

  constructor(world: BrokerWorld) {
    this.world = world;
    const config = parseSettings(grpcSettings, world.settings);
    this.door = new GrpcDoor(
      config,
      world.machine.env,
      world.broker,
      { serverVersion: '1.2.3' },
      () => {},
    );
  }

  async listen(): Promise<void> {
    const onUnexpectedError = (error: unknown): void => {
      this.unexpected.push(error);
    };
    const transport = new InProcessTransport({ onUnexpectedError }, this.world.machine.env.timers);
    const options = { maxMessageBytes: 16 * MIB };
    const listenOptions = { ...roomyListener, ...options };
    this.listener = await transport.listen('broker:9095', this.door.handlers, listenOptions);
    this.channel = transport.connect('broker:9095', options);
  }

  call<Request, Response>(method: Method<Request, Response>, request: Request): Promise<Response> {
    return this.world.run(call(this.channel, method, request, { timeoutMs: 60_000 }));
  }

  produce(): ProduceClient {
    return new ProduceClient(this);
  }

  fetch(): FetchClient {
    return new FetchClient(this);
  }
}

/** A client's side of a stream, with everything that it was told. */
class StreamClient<Request, Response> implements TypedStreamEvents<Response> {
  readonly door: DoorWorld;
  readonly stream: TypedStream<Request>;
  readonly messages: Response[] = [];
  status: RpcStatus | undefined;

  constructor(door: DoorWorld, method: Method<Request, Response>) {
    this.door = door;
    this.stream = openStream(door.channel, method, this);
  }

  onMessage(message: Response): void {
    this.messages.push(message);
  }

  onDrain(): void {}

  onEnd(): void {}

  onClose(status: RpcStatus): void {
    this.status = status;
  }

  /** How the stream ended: `OK`, or the name of the error and its message. */
  async closed(): Promise<string> {
    await this.door.world.until(() => this.status !== undefined);
    const { code, errorCode, message } = this.status!;
    if (code === 0) return 'OK';
    return `${errorCode === undefined ? code : errorByCode(errorCode).name}: ${message}`;
  }

  async received(count: number): Promise<Response[]> {
    await this.door.world.until(() => this.messages.length >= count);
    return this.messages;
  }
}

const nothingFor = (partition: number) => ({
  topic: 't',
  partition,
  topicId: new Uint8Array(0),
  records: new Uint8Array(0),
});

export class ProduceClient extends StreamClient<ProduceRequest, ProduceResponse> {
  #correlationId = 0;

  constructor(door: DoorWorld) {
    super(door, produceMethod);
  }

  /** Sends a request with a batch for each partition that is named. */
  send(records: { readonly [partition: number]: Uint8Array }, more: Partial<ProduceRequest> = {}) {
    const partitions = Object.entries(records).map(([partition, batch]) => ({
      ...nothingFor(Number(partition)),
      records: batch,
    }));
    const correlationId = ++this.#correlationId;
    this.stream.send({ correlationId, acks: 1, timeoutMs: 0, partitions, ...more });
  }

  sendPlain(plainRecords: readonly Partial<PlainRecord>[]): void {
    const empty = { key: undefined, value: undefined, headers: [], timestampMs: 0, offset: 0 };
    const records = plainRecords.map((record) => ({ ...empty, ...record }));
    this.send({}, { partitions: [{ ...nothingFor(0), plainRecords: records }] });
  }

  /** The answers, as `2: t-0 5 NONE`, without grants. */
  get answers(): string[] {
    return this.messages
      .filter(({ correlationId }) => correlationId > 0)
      .map(({ correlationId, partitions }) => `${correlationId}: ${partitions.map(toldOf)}`);
  }

  get grants(): number[] {
    return this.messages.map(({ creditBytes }) => creditBytes);
  }
}

const toldOf = ({ topic, partition, baseOffset, error }: ProducedPartition): string =>
  `${topic}-${partition} ${baseOffset} ${error?.name ?? 'NONE'}`;

export class FetchClient extends StreamClient<FetchRequest, FetchResponse> {
  constructor(door: DoorWorld) {
    super(door, fetchMethod);
  }

  send(
    positions: { readonly [partition: number]: number },
    more: Partial<FetchRequest> = {},
  ): void {
    this.stream.send({
      correlationId: 1,
      creditBytes: MIB,
      isolationLevel: 1,
      maxPartitionBytes: 0,
      positions: Object.entries(positions).map(([partition, offset]) => ({
        topic: 't',
        partition: Number(partition),
        topicId: new Uint8Array(0),
        offset,
        leaderEpoch: -1,
      })),
      stops: [],
      ...more,
    });
  }

  get partitions(): FetchedPartition[] {
    return this.messages.flatMap(({ partitions }) => partitions);
  }

  get bytes(): number {
    const pieces = this.partitions.flatMap(({ records }) => records);
    return pieces.reduce((sum, { length }) => sum + length, 0);
  }

  get plainRecords(): PlainRecord[] {
    return this.partitions.flatMap(({ plainRecords }) => plainRecords ?? []);
  }
}
