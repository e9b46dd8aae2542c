import type { Env } from '../../../src/env/ports.ts';
import type { Log } from '../../../src/log/log.ts';
import type { AppendOutcome } from '../../../src/log/log-appender.ts';
import { type LogConfig, logSettings } from '../../../src/log/log-config.ts';
import { LogDirectory } from '../../../src/log/log-directory.ts';
import { type TopicLogConfig, topicLogSettings } from '../../../src/log/topic-config.ts';
import { type LeaderEpoch, leaderEpoch, offset, topicId } from '../../../src/model/ids.ts';
import { BatchBuilder } from '../../../src/records/batch-builder.ts';
import { BatchView } from '../../../src/records/batch-view.ts';
import type { BatchProducer } from '../../../src/records/seal-batch.ts';
import { PrometheusMetrics } from '../../../src/telemetry/prometheus-metrics.ts';
import { type SimulatedMachine, simulatedEnv } from '../../simulation/env/simulated-env.ts';

export const topicPartition = { topic: 'orders', partition: 0 };
export const orders = topicId('AAAAAAAAAAAAAAAAAAAAAQ');
export const epoch0: LeaderEpoch = leaderEpoch(0);
export const ROOT = 'data';
export const FOLDER = `${ROOT}/orders-0`;

type Defaults<T> = { readonly [K in keyof T]: { readonly default: T[K] } };

function defaultsOf<T>(group: Defaults<T>): T {
  const entries = Object.entries<{ default: unknown }>(group as never);
  return Object.fromEntries(entries.map(([name, declared]) => [name, declared.default])) as T;
}

/** Small segments and a dense index, so that little data goes through everything. */
export const smallTopic: TopicLogConfig = {
  ...defaultsOf<TopicLogConfig>(topicLogSettings),
  segmentBytes: 4096,
  indexIntervalBytes: 300,
  retentionMs: -1,
  messageTimestampAfterMaxMs: Number.MAX_SAFE_INTEGER,
};

export const brokerConfig: LogConfig = {
  ...defaultsOf<LogConfig>(logSettings),
  tailCacheBytes: 2000,
};

/** One data directory with a log or more on a simulated machine. */
export class LogWorld {
  readonly machine: SimulatedMachine;
  readonly reports: { level: string; fields: Record<string, unknown>; message: string }[] = [];
  readonly failures: Error[] = [];
  readonly stalls: number[] = [];
  /** Of the directory that was opened last. */
  metrics: PrometheusMetrics = new PrometheusMetrics({ processMetrics: false });
  topicConfig: TopicLogConfig = smallTopic;
  config: LogConfig = brokerConfig;
  describe: (topic: string, id: string) => TopicLogConfig | 'deleted' | 'unknown' = () =>
    this.topicConfig;
  highWatermark: (log: Log) => number = (log) => log.flushedOffset;
  env: Env;
  #directory: LogDirectory | undefined;

  constructor(seed: number, machine: SimulatedMachine = simulatedEnv({ seed })) {
    this.machine = machine;
    this.env = this.machine.env;
  }

  get directory(): LogDirectory {
    return this.#directory!;
  }

  /** The log of `orders-0`. */
  get log(): Log {
    return this.directory.openLog(topicPartition, orders, this.topicConfig);
  }

  run<T>(promise: Promise<T>): Promise<T> {
    return this.machine.scheduler.complete(promise);
  }

  async settle(ms = 10): Promise<void> {
    const { scheduler } = this.machine;
    await scheduler.run(scheduler.nowMs + ms);
  }

  async start(): Promise<void> {
    const { files } = this.env;
    if ((await this.run(files.stat(ROOT))) === undefined) {
      await this.run(files.makeDirectory(ROOT));
      await this.run(files.syncDirectory('.'));
    }
    await this.open();
  }

  async open(): Promise<void> {
    this.#directory = await this.run(this.beginOpening());
  }

  /** Begins to open the directory, and leaves it to the caller to let time pass. */
  beginOpening(): Promise<LogDirectory> {
    const report =
      (level: string) =>
      (fields: object, message: string): void => {
        this.reports.push({ level, fields: fields as Record<string, unknown>, message });
      };
    this.metrics = new PrometheusMetrics({ processMetrics: false });
    return LogDirectory.open(
      { path: ROOT, config: this.config, flusherConcurrency: 2 },
      { ...this.env, metrics: this.metrics },
      {
        describe: (tp, id) => this.describe(tp.topic, id),
        highWatermark: (log) => offset(this.highWatermark(log)),
        onFailure: (error) => this.failures.push(error),
        onFlushStall: (ms) => this.stalls.push(ms),
      },
      { info: report('info'), warn: report('warn'), error: report('error') },
    );
  }

  crash(kind: 'process' | 'power'): void {
    this.machine.crash(kind);
    this.env = this.machine.restart();
  }

  async restartCleanly(): Promise<void> {
    await this.run(this.directory.close());
    this.crash('power');
    await this.open();
  }

  async crashAndOpen(kind: 'process' | 'power'): Promise<void> {
    this.crash(kind);
    await this.open();
  }

  append(records: Uint8Array, epoch: LeaderEpoch = epoch0): AppendOutcome {
    return this.log.append(records, epoch, 'client');
  }

  /** Appends, and waits until it is flushed. */
  async appendDurably(records: Uint8Array, epoch: LeaderEpoch = epoch0): Promise<void> {
    const { log } = this;
    const outcome = log.append(records, epoch, 'client');
    if (!outcome.ok) throw new Error(`${outcome.row.name}: ${outcome.detail}`);
    await this.machine.scheduler.run(() => log.flushedOffset > outcome.lastOffset);
  }

  /** Flips one bit of a file in the folder of `orders-0`, past all caches. */
  async flip(name: string, position: number): Promise<void> {
    const { files } = this.env;
    const file = await this.run(files.open(`${FOLDER}/${name}`, 'write'));
    const [byte] = await this.run(file.read(position, 1));
    await this.run(file.write(position, [new Uint8Array([byte! ^ 1])]));
    await this.run(file.sync());
    await this.run(file.close());
  }

  async cutFile(name: string, size: number): Promise<void> {
    const file = await this.run(this.env.files.open(`${FOLDER}/${name}`, 'write'));
    await this.run(file.truncate(size));
    await this.run(file.sync());
    await this.run(file.close());
  }

  async remove(name: string): Promise<void> {
    await this.run(this.env.files.removeFile(`${FOLDER}/${name}`));
    await this.run(this.env.files.syncDirectory(FOLDER));
  }

  names(): Promise<string[]> {
    return this.run(this.env.files.list(FOLDER));
  }

  async sizeOf(name: string): Promise<number> {
    return (await this.run(this.env.files.stat(`${FOLDER}/${name}`)))?.size ?? -1;
  }

  /** All batches of the log from `from` on, read in steps of `maxBytes`. */
  async readAll(from: number = this.log.logStartOffset, maxBytes = 1000): Promise<Uint8Array[]> {
    const { log } = this;
    const found: Uint8Array[] = [];
    let at = offset(from);
    while (at < log.logEndOffset) {
      const outcome = await this.run(Promise.resolve(log.read(at, maxBytes, log.logEndOffset)));
      if (!outcome.ok) throw new Error(`${outcome.row.name}: ${outcome.detail}`);
      if (outcome.bytes === 0) throw new Error(`nothing is read at ${at}`);
      for (const piece of outcome.batches) found.push(...splitPiece(piece));
      at = outcome.nextOffset;
    }
    return found;
  }
}

function splitPiece(piece: Uint8Array): Uint8Array[] {
  const batches: Uint8Array[] = [];
  for (let at = 0; at < piece.length; ) {
    const batch = new BatchView(piece, at);
    batches.push(batch.bytes.slice());
    at += batch.sizeInBytes;
  }
  return batches;
}

export interface BatchOptions {
  readonly count?: number;
  readonly valueBytes?: number;
  readonly timestampMs?: number;
  readonly producer?: BatchProducer;
  readonly isTransactional?: boolean;
  /** Makes batches differ. */
  readonly tag?: number;
}

export function makeBatch(options: BatchOptions = {}): Uint8Array {
  const { count = 1, valueBytes = 20, timestampMs = 1000, tag = 0 } = options;
  const { producer, isTransactional } = options;
  const builder = new BatchBuilder({
    compression: 0,
    ...(producer === undefined ? {} : { producer }),
    ...(isTransactional === undefined ? {} : { isTransactional }),
  });
  for (let i = 0; i < count; i++) {
    const value = new Uint8Array(valueBytes).fill((tag + i) % 251);
    builder.append({ key: null, value, timestampMs: timestampMs + i });
  }
  return builder.build().slice();
}
