import type { Log } from '../../../src/log/log.ts';
import type { LogConfig } from '../../../src/log/log-config.ts';
import { LogDirectory } from '../../../src/log/log-directory.ts';
import type { TopicLogConfig } from '../../../src/log/topic-config.ts';
import {
  leaderEpoch,
  offset,
  producerId,
  type TopicId,
  type TopicPartition,
  topicId,
} from '../../../src/model/ids.ts';
import { noMetrics } from '../../../src/telemetry/no-metrics.ts';
import { brokerConfig, makeBatch, smallTopic } from '../../unit/log/log-world.ts';
import type { SimulatedMachine } from '../env/simulated-env.ts';
import {
  checkDirectory,
  type ExpectedLog,
  ROOT,
  type TakenBatch,
  ViolationError,
} from './expected-logs.ts';
import type { CrashKind } from './explorer.ts';

export interface SessionSettings {
  readonly topic?: Partial<TopicLogConfig>;
  readonly broker?: Partial<LogConfig>;
}

/** A log, and what was done to it. */
interface Tracked {
  readonly topicPartition: TopicPartition;
  readonly topicId: TopicId;
  log: Log;
  batches: readonly TakenBatch[];
  /** By number of the producer. */
  readonly sequences: Map<number, number>;
  epoch: number;
  /** Up to where the start may have risen, if that is under way. */
  risingTo: number;
  /** From where on the end may have been cut, if that is under way. */
  cutFrom: number;
  isDeleted: boolean;
}

/** One process with a log directory, which knows at any moment what a crash would have to leave. */
export class LogSession {
  readonly machine: SimulatedMachine;
  /** What the directory reports and never should. */
  readonly complaints: string[] = [];
  readonly #settings: SessionSettings;
  readonly #tracked: Tracked[] = [];
  #directory: LogDirectory | undefined;
  #serial = 0;
  /** From a crash until the next process has opened the directory. */
  #expectedOfCrash: ExpectedLog[] | undefined;

  constructor(machine: SimulatedMachine, settings: SessionSettings = {}) {
    this.machine = machine;
    this.#settings = settings;
  }

  get topicConfig(): TopicLogConfig {
    return { ...smallTopic, ...this.#settings.topic };
  }

  get directory(): LogDirectory {
    if (this.#directory === undefined) throw new Error('the session has not begun');
    return this.#directory;
  }

  /** Makes the data directory and opens it, empty. */
  async begin(): Promise<void> {
    const { files } = this.machine.env;
    await files.makeDirectory(ROOT);
    await files.syncDirectory('/');
    await this.open();
  }

  async open(): Promise<void> {
    const { machine } = this;
    const opening = { expected: this.expected(), complaints: this.complaints };
    this.#directory = await openDirectory(machine, opening, this.#settings);
  }

  /** What a crash must leave if it comes now. */
  expected(): ExpectedLog[] {
    if (this.#expectedOfCrash !== undefined) return this.#expectedOfCrash;
    return this.#tracked.map((tracked) => {
      const { log, topicPartition, batches } = tracked;
      const isDurable = this.topicConfig.durability === 'durable';
      const leastEnd = isDurable ? log.flushedOffset : log.durableOffset;
      const leastStart = Math.min(log.logStartOffset, tracked.cutFrom);
      return {
        topicPartition,
        topicId: tracked.topicId,
        config: this.topicConfig,
        batches,
        leastEnd: Math.min(leastEnd, tracked.cutFrom),
        leastEndAfterProcessCrash: Math.min(log.flushedOffset, tracked.cutFrom),
        mostEnd: (batches.at(-1)?.lastOffset ?? -1) + 1,
        leastStart,
        mostStart: Math.max(log.logStartOffset, tracked.risingTo),
        isDeleted: tracked.isDeleted,
      };
    });
  }

  /** Makes a topic, unless there is one of that name; without a folder as long as it is empty. */
  log(name: string): Log {
    return this.#of(name).log;
  }

  append(name: string, options: AppendOptions = {}): void {
    const tracked = this.#of(name);
    const { count = 1, producer = -1 } = options;
    const sequence = tracked.sequences.get(producer) ?? 0;
    const serial = this.#serial++;
    const sent = makeBatch({
      count,
      valueBytes: options.valueBytes ?? 20,
      tag: serial,
      timestampMs: 1000 + serial * 10,
      ...(producer < 0
        ? {}
        : { producer: { id: producerId(producer), epoch: 0, baseSequence: sequence } }),
    });
    const bytes = sent.slice();
    const baseOffset = tracked.log.logEndOffset;
    const outcome = tracked.log.append(bytes, leaderEpoch(tracked.epoch), 'client');
    if (!outcome.ok) throw new ViolationError(`${name} refuses a batch: ${outcome.detail}`);
    if (outcome.duplicate) throw new ViolationError(`${name} takes a new batch for an old one`);
    tracked.sequences.set(producer, sequence + count);
    const lastOffset = baseOffset + count - 1;
    tracked.batches = [...tracked.batches, { baseOffset, lastOffset, bytes, sent, producer }];
  }

  /** Waits until everything that was appended is as safe as the topic asks. */
  async flushed(name: string): Promise<void> {
    const { log } = this.#of(name);
    while (log.flushedOffset < log.logEndOffset) {
      await new Promise<void>((resolve) => {
        log.onFlushed = () => resolve();
      });
    }
  }

  async appendDurably(name: string, options: AppendOptions = {}): Promise<void> {
    this.append(name, options);
    await this.flushed(name);
  }

  beginEpoch(name: string): void {
    const tracked = this.#of(name);
    tracked.epoch++;
    tracked.log.beginLeaderEpoch(leaderEpoch(tracked.epoch));
  }

  async deleteRecords(name: string, before: number): Promise<void> {
    const tracked = this.#of(name);
    tracked.risingTo = before;
    await tracked.log.advanceLogStart(offset(before));
    tracked.risingTo = 0;
  }

  async retain(name: string): Promise<void> {
    const tracked = this.#of(name);
    tracked.risingTo = tracked.log.logEndOffset;
    await tracked.log.applyRetention(null, tracked.log.flushedOffset);
    tracked.risingTo = 0;
  }

  async truncate(name: string, target: number): Promise<void> {
    const tracked = this.#of(name);
    const cut = tracked.batches.find(({ lastOffset }) => lastOffset >= target);
    tracked.cutFrom = cut?.baseOffset ?? Number.POSITIVE_INFINITY;
    // A start inside the batch that goes comes down with it, first in memory.
    tracked.risingTo = tracked.log.logStartOffset;
    await tracked.log.truncateTo(offset(target));
    tracked.risingTo = 0;
    tracked.cutFrom = Number.POSITIVE_INFINITY;
    this.#endAt(tracked, tracked.log.logEndOffset);
  }

  /** Deletes the topic; the next one of that name is another. */
  async deleteTopic(name: string): Promise<void> {
    const tracked = this.#of(name);
    // Its deletion is committed before its logs go.
    tracked.isDeleted = true;
    await this.directory.delete(tracked.topicPartition, tracked.topicId);
  }

  /** Lets time pass: for the timer of the marks, say. */
  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.machine.env.timers.after(ms, resolve);
    });
  }

  async close(): Promise<void> {
    await this.directory.close();
  }

  /** Ends the process in the middle of whatever it does. */
  crash(kind: CrashKind): void {
    // What a power cut has taken does not come back when only the process dies after it.
    this.#expectedOfCrash = this.expected().map((log) =>
      kind === 'power' ? { ...log, leastEndAfterProcessCrash: log.leastEnd } : log,
    );
    this.machine.crash(kind);
    this.machine.restart();
  }

  /**
   * Opens the directory after a crash and holds it against what must be there. What is found must
   * stay from now on.
   *
   * @param kind the worst crash that came since the directory was open
   */
  async reopen(kind: CrashKind): Promise<void> {
    const { machine } = this;
    const expected = this.expected();
    const opening = { expected, complaints: this.complaints };
    const directory = await openDirectory(machine, opening, this.#settings);
    await checkDirectory(machine, directory, expected, kind);
    this.#adopt(directory);
    this.#expectedOfCrash = undefined;
  }

  #adopt(directory: LogDirectory): void {
    this.#directory = directory;
    for (const tracked of this.#tracked) {
      if (tracked.isDeleted) continue;
      const { topicPartition } = tracked;
      tracked.log = directory.openLog(topicPartition, tracked.topicId, this.topicConfig);
      tracked.risingTo = 0;
      tracked.cutFrom = Number.POSITIVE_INFINITY;
      tracked.epoch = Math.max(tracked.epoch, tracked.log.leaderEpochs.latestEpoch);
      this.#endAt(tracked, tracked.log.logEndOffset);
    }
  }

  #endAt(tracked: Tracked, endOffset: number): void {
    tracked.batches = tracked.batches.filter(({ lastOffset }) => lastOffset < endOffset);
    tracked.sequences.clear();
    for (const { producer, baseOffset, lastOffset } of tracked.batches) {
      const next = (tracked.sequences.get(producer) ?? 0) + lastOffset - baseOffset + 1;
      tracked.sequences.set(producer, next);
    }
  }

  #of(name: string): Tracked {
    const found = this.#tracked.find(
      ({ topicPartition, isDeleted }) => topicPartition.topic === name && !isDeleted,
    );
    if (found !== undefined) return found;
    const topicPartition = { topic: name, partition: 0 };
    const id = topicId(`${String(this.#tracked.length).padStart(20, '0')}AQ`);
    const tracked = {
      topicPartition,
      topicId: id,
      log: this.directory.openLog(topicPartition, id, this.topicConfig),
      batches: [],
      sequences: new Map(),
      epoch: 0,
      risingTo: 0,
      cutFrom: Number.POSITIVE_INFINITY,
      isDeleted: false,
    };
    this.#tracked.push(tracked);
    return tracked;
  }
}

export interface AppendOptions {
  readonly count?: number;
  readonly valueBytes?: number;
  readonly producer?: number;
}

/** Opens the directory of a machine as a process does that knows from the metadata which topics there are. */
export function openDirectory(
  machine: SimulatedMachine,
  opening: { readonly expected: readonly ExpectedLog[]; readonly complaints: string[] },
  settings: SessionSettings,
): Promise<LogDirectory> {
  const { expected, complaints } = opening;
  return LogDirectory.open(
    { path: ROOT, config: { ...brokerConfig, ...settings.broker }, flusherConcurrency: 2 },
    { ...machine.env, metrics: noMetrics },
    {
      describe: (_, id) => {
        const known = expected.find((log) => log.topicId === id);
        if (known?.isDeleted === true) return 'deleted';
        return known?.config ?? 'unknown';
      },
      highWatermark: (log) => log.flushedOffset,
      onFailure: (error) => complaints.push(error.message),
      onFlushStall: () => {},
    },
    {
      info: () => {},
      warn: (_, message) => {
        if (message.includes('unknown topic')) complaints.push(message);
      },
      error: (fields, message) => complaints.push(`${message} ${JSON.stringify(fields)}`),
    },
  );
}
