import type { Env } from '../../../src/env/ports.ts';
import { adminMethods } from '../../../src/rpc/admin-service.ts';
import { InProcessTransport } from '../../../src/rpc/in-process-transport.ts';
import { produceMethod } from '../../../src/rpc/log-service.ts';
import { call, type Method, openStream } from '../../../src/rpc/method.ts';
import type { Channel, RpcStatus } from '../../../src/rpc/transport.ts';
import { Server } from '../../../src/server/server.ts';
import { noMetrics } from '../../../src/telemetry/no-metrics.ts';
import { type SimulatedMachine, simulatedEnv } from '../../simulation/env/simulated-env.ts';
import { type LogLine, recordingLogger } from '../../support/recording-logger.ts';
import { makeBatch } from '../log/log-world.ts';

const MIB = 1024 * 1024;

/** Servers on one simulated machine, one after another, and a client of them. */
export class ServerWorld {
  readonly machine: SimulatedMachine = simulatedEnv({ seed: 1 });
  readonly lines: LogLine[] = [];
  readonly fatal: unknown[] = [];
  #transport: InProcessTransport | undefined;
  #env: Env | undefined;

  /** The network of the process that runs. */
  get transport(): InProcessTransport {
    const { env } = this.machine;
    if (this.#transport === undefined || this.#env !== env) {
      this.#env = env;
      this.#transport = new InProcessTransport({ onUnexpectedError: () => {} }, env.timers);
    }
    return this.#transport;
  }

  run<T>(promise: Promise<T>): Promise<T> {
    return this.machine.scheduler.complete(promise);
  }

  async pass(ms: number): Promise<void> {
    const { scheduler } = this.machine;
    await scheduler.run(scheduler.nowMs + ms);
  }

  /** Begins to start a server, and leaves it to the caller to let time pass. */
  beginStart(settings: { [key: string]: string } = {}, dataDir = '/data'): Promise<Server> {
    const defaults = {
      'grpc.listener': 'localhost:9095',
      'http.listener': '',
      'kafka.listeners': '',
    };
    return Server.start(
      { dataDir, settings: new Map(Object.entries({ ...defaults, ...settings })) },
      {
        env: this.machine.env,
        transport: this.transport,
        logger: recordingLogger(this.lines),
        metrics: noMetrics,
        onFatal: (error) => this.fatal.push(error),
      },
    );
  }

  start(settings?: { [key: string]: string }, dataDir?: string): Promise<Server> {
    return this.run(this.beginStart(settings, dataDir));
  }

  connect(address = 'localhost:9095'): Channel {
    return this.transport.connect(address, { maxMessageBytes: 16 * MIB });
  }

  call<Request, Response>(method: Method<Request, Response>, request: Request): Promise<Response> {
    return this.run(call(this.connect(), method, request, { timeoutMs: 60_000 }));
  }

  async createTopic(name: string, partitionCount = 1): Promise<void> {
    const topic = { name, partitionCount, replicationFactor: 0, configs: {} };
    await this.call(adminMethods.createTopics, { topics: [topic], validateOnly: false });
  }

  async leaderEpochs(name: string): Promise<number[]> {
    const { topics } = await this.call(adminMethods.describeTopics, { names: [name] });
    return topics[0]!.partitions.map(({ leaderEpoch }) => leaderEpoch);
  }

  /** Appends a record to partition 0; how the stream told what became of it. */
  produce(topic: string): Promise<string> {
    return this.run(this.beginProduce(topic));
  }

  /** Sends a record, and leaves it to the caller to let time pass. */
  async beginProduce(topic: string): Promise<string> {
    const outcome = Promise.withResolvers<string>();
    const stream = openStream(this.connect(), produceMethod, {
      onMessage: ({ partitions: [answer] }) => {
        if (answer !== undefined)
          outcome.resolve(`${answer.baseOffset} ${answer.error?.name ?? 'ok'}`);
      },
      onDrain() {},
      onEnd() {},
      onClose: (status: RpcStatus) => outcome.resolve(`closed: ${status.message}`),
    });
    const partitions = [{ topic, partition: 0, topicId: new Uint8Array(0), records: makeBatch() }];
    stream.send({ correlationId: 1, acks: 1, timeoutMs: 0, partitions });
    const told = await outcome.promise;
    stream.end();
    return told;
  }

  /** Kills the process, as a power cut or kill -9 does. */
  crash(kind: 'process' | 'power'): void {
    this.machine.crash(kind);
    this.machine.restart();
  }

  messages(level?: string): string[] {
    return this.lines
      .filter((line) => level === undefined || line.level === level)
      .map(({ message }) => message);
  }
}
