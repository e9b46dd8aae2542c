import { Broker, type BrokerParts } from '../../../src/broker/broker.ts';
import { brokerSettings } from '../../../src/broker/broker-config.ts';
import type { ProduceItem, ProduceResult } from '../../../src/broker/produce.ts';
import { parseSettings } from '../../../src/config/parse-settings.ts';
import { settingValues } from '../../../src/config/setting-values.ts';
import { Controller } from '../../../src/controller/controller.ts';
import { controllerSettings } from '../../../src/controller/controller-config.ts';
import type { NewTopic } from '../../../src/controller/create-topics.ts';
import type { MetadataReplica } from '../../../src/controller/metadata-replica.ts';
import { QuorumAdmin } from '../../../src/controller/quorum-admin.ts';
import type { BrokerRegistration } from '../../../src/controller/register-broker.ts';
import type { LogDirectory } from '../../../src/log/log-directory.ts';
import {
  topicLogConfig,
  topicLogDefaultSettings,
  topicLogSettings,
} from '../../../src/log/topic-config.ts';
import { nodeId } from '../../../src/model/ids.ts';
import type { RequiredAcks } from '../../../src/replication/partition.ts';
import { allSettings } from '../../../src/server/all-settings.ts';
import { DataDirectory } from '../../../src/server/data-directory.ts';
import { makeBackground } from '../../../src/telemetry/background.ts';
import { noMetrics } from '../../../src/telemetry/no-metrics.ts';
import { type SimulatedMachine, simulatedEnv } from '../../simulation/env/simulated-env.ts';
import { registrationOf } from '../../support/broker-registration.ts';
import { type LogLine, recordingLogger } from '../../support/recording-logger.ts';

export const NODE = nodeId(1);

/** A broker on a simulated machine, with its controller and logs; no doors. */
export class BrokerWorld {
  readonly machine: SimulatedMachine;
  readonly lines: LogLine[] = [];
  readonly failures: unknown[] = [];
  readonly settings: Map<string, string>;
  data!: DataDirectory;
  logs!: LogDirectory;
  controller!: Controller;
  broker!: Broker;
  /** How the broker sees the metadata; may be set before `load`. */
  metadataOf: (replica: MetadataReplica) => BrokerParts['metadata'] = (replica) => replica;

  /** A broker that is registered. */
  static async open(settings: { [key: string]: string } = {}): Promise<BrokerWorld> {
    const world = new BrokerWorld(new Map(Object.entries(settings)));
    await world.start();
    return world;
  }

  constructor(settings: Map<string, string> = new Map()) {
    this.machine = simulatedEnv({ seed: 1 });
    this.settings = settings;
  }

  async start(): Promise<void> {
    await this.load();
    await this.run(this.register());
  }

  /** Everything up to the registration. */
  async load(): Promise<void> {
    const { env } = this.machine;
    const logger = recordingLogger(this.lines);
    const fail = (error: unknown): void => {
      this.failures.push(error);
      this.broker.storageFailed();
    };
    const { settings } = this;
    const options = { path: '/data', nodeId: NODE, clusterId: '', settings, ioThreads: 4 };
    this.data = await this.run(DataDirectory.open(options, env, logger, fail));
    const { quorum, identity } = this.data;
    const config = parseSettings(controllerSettings, settings);
    const controller = new Controller(config, env.random, quorum, identity, topicLogSettings);
    this.controller = controller;
    await this.run(this.data.leadAlone(controller.replica));
    const topicDefaults = parseSettings(topicLogDefaultSettings, settings);
    this.logs = await this.run(
      this.data.openLogs(
        {
          describe: (_, topicId) => {
            const topic = controller.image.topics.get(topicId);
            return topic === undefined ? 'unknown' : topicLogConfig(topicDefaults, topic.configs);
          },
          highWatermark: (log) => this.broker.highWatermark(log),
          onFailure: fail,
          onFlushStall: () => {},
        },
        noMetrics,
      ),
    );
    const background = makeBackground(logger, noMetrics);
    const parts = {
      ...{ controller, metadata: this.metadataOf(controller.replica) },
      quorum: new QuorumAdmin(NODE, quorum, env.timers),
      ...{ ...env, logs: this.logs, logger, metrics: noMetrics, background },
      settings: settingValues(Object.values(allSettings), settings),
      onReplaced: fail,
    };
    const brokerConfig = parseSettings(brokerSettings, settings);
    this.broker = new Broker(brokerConfig, NODE, topicDefaults, parts);
  }

  register(
    incarnationId = `life ${this.machine.env.random.uint32()}`,
    more: Partial<BrokerRegistration> = {},
  ): Promise<void> {
    const { directoryId } = this.data.identity;
    return this.broker.start(registrationOf(NODE, incarnationId, { directoryId, ...more }));
  }

  /** Cuts the power and starts again. */
  async crashAndStart(): Promise<void> {
    this.machine.crash('power');
    this.machine.restart();
    await this.start();
  }

  /** Lets virtual time pass until the promise is settled. */
  run<T>(promise: Promise<T>): Promise<T> {
    return this.machine.scheduler.complete(promise);
  }

  async pass(ms: number): Promise<void> {
    const { scheduler } = this.machine;
    await scheduler.run(scheduler.nowMs + ms);
  }

  async until(condition: () => boolean): Promise<void> {
    await this.machine.scheduler.run(condition);
  }

  /** Fsyncs of segments hang for a while. */
  stallDisk(delayMs = 1000, times = 1): void {
    this.machine.disk.plan({ operation: 'sync', path: /\.log$/, delayMs, times });
  }

  async createTopic(
    name: string,
    partitionCount = 1,
    configs: NewTopic['configs'] = {},
  ): Promise<void> {
    const topic = { name, partitionCount, replicationFactor: -1, configs };
    const [created] = await this.run(this.broker.createTopics([topic], false));
    if (created?.error !== undefined) throw new Error(created.error.detail);
  }

  produce(
    items: readonly ProduceItem[],
    acks: RequiredAcks = 'all',
    timeoutMs = 30_000,
  ): Promise<ProduceResult[]> {
    return this.run(this.broker.produce(items, { acks, timeoutMs }));
  }
}

export const anyTopicId = new Uint8Array(0);

export const item = (topic: string, partition: number, records: Uint8Array): ProduceItem => ({
  topic,
  partition,
  topicId: anyTopicId,
  records,
});

/** `0 NONE`: the outcome and where the records are. */
export const told = (results: readonly ProduceResult[]): string[] =>
  results.map(({ baseOffset, row }) => `${baseOffset} ${row.name}`);
