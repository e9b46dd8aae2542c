import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { latencyMetrics } from '../load/latency-summary.ts';
import { freePort, type Workspace } from '../run/workspace.ts';
import {
  type FetchScenario,
  type LatencyScenario,
  type Mode,
  type ProduceScenario,
  type Scenario,
  type StartupScenario,
  WARMUP_SECONDS,
} from '../scenarios.ts';
import { type Measurement, type System, startup, throughput } from '../system.ts';
import { installKafka, KafkaJvm } from './kafka-jvm.ts';
import {
  readConsumerPerformance,
  readEndToEndLatency,
  readProducerPerformance,
  type ToolRun,
} from './kafka-output.ts';

/**
 * Apache Kafka: one combined broker and controller, loaded by its own tools, acks=all. `no-fsync`
 * is its default; `fsync` sets `flush.messages=1`. The first run of a JVM is up to twice as slow:
 * every figure is that of a second run on the same broker.
 */
export class Kafka implements System {
  readonly name = 'kafka';
  readonly #workspace: Workspace;
  #jvm: KafkaJvm | undefined;

  constructor(workspace: Workspace) {
    this.#workspace = workspace;
  }

  async prepare(): Promise<void> {
    this.#jvm = new KafkaJvm(this.#workspace, installKafka());
  }

  async measure(scenario: Scenario, mode: Mode, seconds: number): Promise<Measurement> {
    const jvm = this.#jvm;
    if (jvm === undefined) throw new Error('prepare() was not called');
    const folder = this.#workspace.makeFolder('kafka');
    const bench = new KafkaBench(jvm, folder, deadlineMs(seconds));
    try {
      switch (scenario.kind) {
        case 'produce':
          return await bench.produce(scenario, mode, seconds);
        case 'fetch':
          return await bench.fetch(scenario);
        case 'latency':
          return await bench.latency(scenario, mode, seconds);
        case 'startup':
          return await bench.startup(scenario);
      }
    } finally {
      this.#workspace.removeFolder(folder);
    }
  }
}

/** One measurement: brokers come and go within its methods. */
class KafkaBench {
  readonly #jvm: KafkaJvm;
  readonly #folder: string;
  readonly #deadlineMs: number;

  constructor(jvm: KafkaJvm, folder: string, deadlineMs: number) {
    this.#jvm = jvm;
    this.#folder = folder;
    this.#deadlineMs = deadlineMs;
  }

  async produce(scenario: ProduceScenario, mode: Mode, seconds: number): Promise<Measurement> {
    const { recordBytes } = scenario;
    return await this.#withBroker(mode, async (broker) => {
      const trialRecords = Math.ceil(TRIAL_BYTES / recordBytes);
      const trial = await this.#producerPerformance(broker, recordBytes, {
        records: trialRecords,
        warmupRecords: Math.ceil(trialRecords / 2),
      });
      const warmupRecords = Math.ceil(trial.recordsPerSecond * WARMUP_SECONDS);
      const records = warmupRecords + Math.ceil(trial.recordsPerSecond * seconds);
      const plan = { records, warmupRecords };
      const run = await this.#producerPerformance(broker, recordBytes, plan);
      return throughput(run.records, recordBytes, run.records / run.recordsPerSecond);
    });
  }

  async fetch(scenario: FetchScenario): Promise<Measurement> {
    const { recordBytes, records } = scenario;
    return await this.#withBroker('default', async (broker) => {
      await this.#producerPerformance(broker, recordBytes, { records, warmupRecords: 0 });
      await this.#consumerPerformance(broker, records);
      const run = await this.#consumerPerformance(broker, records);
      return throughput(run.records, recordBytes, run.records / run.recordsPerSecond);
    });
  }

  /** Kafka's tool sends the next record when the last one came back: not an open loop. */
  async latency(scenario: LatencyScenario, mode: Mode, seconds: number): Promise<Measurement> {
    const { recordBytes, ratePerSecond } = scenario;
    return await this.#withBroker(mode, async (broker) => {
      const run = async (records: number) => {
        const bytes = ['--producer-acks', 'all', '--record-size', `${recordBytes}`];
        return readEndToEndLatency(
          await this.#tool('EndToEndLatency', broker, [`${records}`, ...bytes]),
        );
      };
      await run(ratePerSecond);
      const records = Math.ceil(ratePerSecond * seconds);
      const summary = await run(records);
      const metrics = latencyMetrics('end_to_end', summary);
      return { metrics, records, seconds: (records * summary.mean) / 1_000 };
    });
  }

  /** A producer is already there and asks every few milliseconds for the broker. */
  async startup(scenario: StartupScenario): Promise<Measurement> {
    const times: number[] = [];
    for (let i = 0; i < scenario.repetitions; i++) {
      const { properties, broker } = await this.#format('default');
      const impatient = ['retry', 'reconnect'].flatMap((what) => [
        `${what}.backoff.ms=5`,
        `${what}.backoff.max.ms=20`,
      ]);
      const tool = this.#startProducer(broker, 100, { records: 1, warmupRecords: 0 }, impatient);
      await tool.seek((line) => line.includes('could not be established') || undefined);
      const startMs = performance.now();
      const server = this.#jvm.server(properties, this.#deadlineMs);
      await tool.seek((line) => line.startsWith('1 records sent') || undefined);
      times.push(performance.now() - startMs);
      await tool.output();
      await server.stop();
    }
    return startup(times);
  }

  async #withBroker<T>(mode: Mode, use: (broker: string) => Promise<T>): Promise<T> {
    const { properties, broker } = await this.#format(mode);
    const server = this.#jvm.server(properties, this.#deadlineMs);
    try {
      await server.seek((line) => line.includes('Kafka Server started') || undefined);
      return await use(broker);
    } finally {
      await server.stop();
    }
  }

  /** Writes the settings of a new broker and gives it an empty data folder. */
  async #format(mode: Mode): Promise<{ readonly properties: string; readonly broker: string }> {
    const [port, controllerPort] = [await freePort(), await freePort()];
    const broker = `127.0.0.1:${port}`;
    const id = randomBytes(16).toString('base64url').replace(/^-/, 'A');
    const properties = join(this.#folder, `${id}.properties`);
    writeFileSync(
      properties,
      [
        'process.roles=broker,controller',
        'node.id=1',
        `listeners=PLAINTEXT://${broker},CONTROLLER://127.0.0.1:${controllerPort}`,
        `advertised.listeners=PLAINTEXT://${broker}`,
        'controller.listener.names=CONTROLLER',
        `controller.quorum.bootstrap.servers=127.0.0.1:${controllerPort}`,
        `log.dirs=${join(this.#folder, id)}`,
        'offsets.topic.replication.factor=1',
        'transaction.state.log.replication.factor=1',
        'transaction.state.log.min.isr=1',
        'share.coordinator.state.topic.replication.factor=1',
        'share.coordinator.state.topic.min.isr=1',
        'group.initial.rebalance.delay.ms=0',
        // Topics are made at first use, with one partition and this as their flush.messages.
        ...(mode === 'fsync' ? ['log.flush.interval.messages=1'] : []),
        '',
      ].join('\n'),
    );
    const args = ['format', '--cluster-id', id, '--standalone', '-c', properties];
    await this.#jvm.tool('kafka.tools.StorageTool', args, this.#deadlineMs).output();
    return { properties, broker };
  }

  async #producerPerformance(
    broker: string,
    recordBytes: number,
    plan: ProducePlan,
  ): Promise<ToolRun> {
    const tool = this.#startProducer(broker, recordBytes, plan, PRODUCER_SETTINGS);
    return readProducerPerformance(await tool.output());
  }

  #startProducer(
    broker: string,
    recordBytes: number,
    plan: ProducePlan,
    settings: readonly string[],
  ): ReturnType<KafkaJvm['tool']> {
    const { records, warmupRecords } = plan;
    const warmup = warmupRecords > 0 ? ['--warmup-records', `${warmupRecords}`] : [];
    const args = [
      ...['--bootstrap-server', broker, '--topic', TOPIC, '--num-records', `${records}`],
      ...['--throughput', '-1', '--payload-file', this.#payloads(recordBytes), ...warmup],
      ...['--command-property', 'acks=all', ...settings],
    ];
    return this.#jvm.tool(`${TOOLS}.ProducerPerformance`, args, this.#deadlineMs);
  }

  async #consumerPerformance(broker: string, records: number): Promise<ToolRun> {
    const args = [`${records}`, '--timeout', '20000'];
    return readConsumerPerformance(await this.#tool('ConsumerPerformance', broker, args));
  }

  async #tool(name: string, broker: string, args: readonly string[]): Promise<readonly string[]> {
    const first = ['--bootstrap-server', broker, '--topic', TOPIC, '--num-records'];
    return await this.#jvm.tool(`${TOOLS}.${name}`, [...first, ...args], this.#deadlineMs).output();
  }

  /** Values made beforehand: the tool's own `--record-size` makes them while it is timed. */
  #payloads(recordBytes: number): string {
    const file = join(this.#folder, `payloads-${recordBytes}`);
    const values = Array.from({ length: PAYLOADS }, () =>
      randomBytes(recordBytes).toString('base64url').slice(0, recordBytes),
    );
    writeFileSync(file, values.join('\n'));
    return file;
  }
}

interface ProducePlan {
  readonly records: number;
  /** Not counted in the result. */
  readonly warmupRecords: number;
}

const TOPIC = 'bench';
const TOOLS = 'org.apache.kafka.tools';
const PRODUCER_SETTINGS = ['linger.ms=10', 'batch.size=262144'];
const PAYLOADS = 10_000;
/** What the first run on a broker sends: enough to compile its code and to tell the rate. */
const TRIAL_BYTES = 200e6;

/** Far more than a run needs, JVMs and filling included: reached only by one that hangs. */
function deadlineMs(seconds: number): number {
  return 4 * (WARMUP_SECONDS + seconds) * 1_000 + 180_000;
}
