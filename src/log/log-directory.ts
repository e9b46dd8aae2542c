import { type Clock, FileError, type FileSystem, type Timer, type Timers } from '../env/ports.ts';
import { assert } from '../model/assert.ts';
import {
  type Offset,
  offset,
  partitionName,
  type TopicId,
  type TopicPartition,
} from '../model/ids.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { DiskHealth, LogCorruptError } from './disk-health.ts';
import type { LogMark } from './durable-marks.ts';
import { parseFolder, retiredFolder } from './file-names.ts';
import { Flusher } from './flusher.ts';
import { type CorruptLog, Log } from './log.ts';
import type { LogConfig } from './log-config.ts';
import { recoverLog } from './log-recovery.ts';
import type { LogReporter } from './log-reporter.ts';
import { LogReports } from './log-reports.ts';
import type { LogShared, Markable } from './log-shared.ts';
import { emptyLog } from './log-state.ts';
import { MarksFile, readMarks } from './marks-file.ts';
import { patientFiles } from './patient-files.ts';
import { RecoveryProgress, type RecoveryState } from './recovery-progress.ts';
import { hasClockJumped } from './retention.ts';
import { Scrubber } from './scrubber.ts';
import { SegmentReaders } from './segment-readers.ts';
import { forEachLimited, SerialLane } from './serial-lane.ts';
import { TailCache } from './tail-cache.ts';
import type { TopicLogConfig } from './topic-config.ts';
import { readTopicId } from './topic-id-file.ts';
import { WriteHandles } from './write-handles.ts';

export interface LogDirectorySettings {
  /** Path of the data directory, which exists and is locked by this process. */
  readonly path: string;
  readonly config: LogConfig;
  /** How many logs are flushed at a time: the size of the thread pool less two (DESIGN 4b rule 6). */
  readonly flusherConcurrency: number;
}

export interface LogDirectoryPorts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly files: FileSystem;
  readonly metrics: Metrics;
}

/** Who the directory works for: what it cannot know itself, and what it has to tell. */
export interface LogDirectoryOwner {
  /**
   * What a folder is to be: a log with that configuration; `deleted`, because the metadata says that
   * this topic is gone; `unknown`, if the metadata knows nothing of it: it is set aside, never deleted.
   */
  describe(
    topicPartition: TopicPartition,
    topicId: TopicId,
  ): TopicLogConfig | 'deleted' | 'unknown';
  /** Retention deletes nothing at or above it. */
  highWatermark(log: Log): Offset;
  /** The directory is out of service for good: it appends and reads no more. Called once. */
  onFailure(error: Error): void;
  /** A write or fsync has been hanging for so long. */
  onFlushStall(stalledMs: number): void;
  /** How far the opening of the directory is. */
  onRecovery?(state: RecoveryState): void;
}

/** A wall clock that gains more than this between two checks has jumped. */
const CLOCK_TOLERANCE_MS = 60_000;
/** Logs whose indexes are saved at a time before the marks are written. */
const PREPARE_LIMIT = 2;
/** Files open for writing that are closed at a time when handles are short. */
const GIVEN_BACK = 16;

/**
 * The logs of a broker in its data directory: opens and recovers them, flushes them, remembers in
 * `durable-marks` what is durable, and lets old segments go. Identity and lock of the directory are
 * checked before, by who opens it.
 */
export class LogDirectory {
  readonly #settings: LogDirectorySettings;
  readonly #ports: LogDirectoryPorts;
  readonly #owner: LogDirectoryOwner;
  readonly #reporter: LogReports;
  readonly #shared: LogShared;
  readonly #marksFile: MarksFile;
  readonly #logs = new Map<string, Log>();
  /** Logs whose marks have changed since the last write by the timer. */
  readonly #changed = new Set<Markable>();
  /** Folders that are being renamed out of the way, by name of the partition. */
  readonly #leaving = new Map<string, Promise<void>>();
  /** Removes folders of deleted partitions, one after another. */
  readonly #removals = new SerialLane();
  readonly #scrubber: Scrubber;
  #retentionTimer: Timer | null = null;
  #lastRetention = { wallMs: 0, monotonicMs: 0 };
  #isClosed = false;

  private constructor(
    settings: LogDirectorySettings,
    ports: LogDirectoryPorts,
    owner: LogDirectoryOwner,
    reporter: LogReports,
  ) {
    this.#settings = settings;
    const files = patientFiles(ports, reporter, () => this.#giveBackHandles());
    this.#ports = { ...ports, files };
    this.#owner = owner;
    this.#reporter = reporter;
    const { config, path, flusherConcurrency: concurrency } = settings;
    const { timers, clock } = ports;
    const health = new DiskHealth((error) => {
      reporter.error({ err: error }, 'the data directory is out of service');
      owner.onFailure(error);
    });
    const { flushStallMs: stallMs, unwrittenMaxBytes: maxQueuedBytes } = config;
    const flushing = { concurrency, stallMs, maxQueuedBytes };
    const marking = { directory: path, intervalMs: config.marksIntervalMs };
    this.#marksFile = new MarksFile(marking, { files, timers }, health, {
      prepare: () => this.#prepareMarks(),
      collect: () => this.#collectMarks(),
    });
    this.#shared = {
      config,
      clock,
      files,
      health,
      reporter,
      flusher: new Flusher(flushing, timers, health, (ms) => owner.onFlushStall(ms)),
      readers: new SegmentReaders({ limit: config.openSegmentsMax }, files, reporter),
      writers: new WriteHandles(config.openWritersMax),
      cache: new TailCache(config.tailCacheBytes),
      marks: {
        changed: (log) => {
          this.#changed.add(log);
          this.#marksFile.changed();
        },
        save: () => this.#marksFile.save(),
      },
    };
    const scrubbing = {
      intervalMs: config.scrubIntervalMs,
      bytesPerSecond: config.scrubBytesPerSecond,
    };
    this.#scrubber = new Scrubber(scrubbing, ports, reporter, () =>
      health.failure === null ? this.#logs.values() : [],
    );
    const damagedLogs = ports.metrics
      .gauge('varve_log_damaged_partitions', 'Partitions that are out of service, being damaged.')
      .labels();
    ports.metrics.beforeExpose(() => damagedLogs.set(this.#damagedCount()));
  }

  /** Opens all logs of the directory. Damaged ones are there and say so (`Log.corruption`). */
  static async open(
    settings: LogDirectorySettings,
    ports: LogDirectoryPorts,
    owner: LogDirectoryOwner,
    reporter: LogReporter,
  ): Promise<LogDirectory> {
    const reports = new LogReports(reporter, ports.metrics);
    const directory = new LogDirectory(settings, ports, owner, reports);
    await directory.#open();
    return directory;
  }

  /** Why the directory is out of service; `null` while it is not. */
  get failure(): Error | null {
    return this.#shared.health.failure;
  }

  log(topicPartition: TopicPartition): Log | undefined {
    return this.#logs.get(partitionName(topicPartition));
  }

  logs(): Iterable<Log> {
    return this.#logs.values();
  }

  /**
   * The log of a partition: the one that is there, or a new one. A new one has no folder before
   * something is appended to it.
   */
  openLog(topicPartition: TopicPartition, topicId: TopicId, config: TopicLogConfig): Log {
    const name = partitionName(topicPartition);
    const existing = this.#logs.get(name);
    if (existing !== undefined) {
      assert(existing.topicId === topicId, 'a log of an older topic is deleted first');
      existing.updateConfig(config);
      return existing;
    }
    const recovered = emptyLog(this.#settings.config.producerIdsMax);
    const folderIsFree = this.#leaving.get(name) ?? Promise.resolve();
    return this.#add(topicPartition, topicId, config, { recovered, folderIsFree });
  }

  /**
   * Takes the log of a deleted topic out of service at once; resolves when it is gone for good. Its
   * bytes go later. Nothing happens if there is no log of that topic.
   */
  async delete(topicPartition: TopicPartition, topicId: TopicId): Promise<void> {
    const name = partitionName(topicPartition);
    const log = this.#logs.get(name);
    if (log?.topicId !== topicId) return;
    this.#logs.delete(name);
    this.#changed.delete(log);
    const earlier = this.#leaving.get(name);
    const retired = this.#shared.health.guard(async () => {
      // Before anything is waited for: from now on the log refuses everything.
      await log.abandon();
      // The folder of that name may still be that of an older log, which is on its way out, too.
      await earlier;
      await this.#retire(name, log.topicId, 'delete');
      // Makes the new name durable, too. If only one of the two is after a power cut, the owner says
      // that this topic is deleted, and the next start removes what is left.
      await this.#marksFile.save();
    });
    this.#leaving.set(name, retired);
    try {
      await retired;
    } finally {
      if (this.#leaving.get(name) === retired) this.#leaving.delete(name);
    }
    this.#removeLater(retiredFolder(name, log.topicId, 'delete'));
  }

  /**
   * Clean stop: everything is on disk and marked so, and the next start is quick. If the disk is out
   * of service, files are only let go.
   */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#retentionTimer?.cancel();
    await this.#scrubber.stop();
    await this.#marksFile.stop();
    // Deletions under way go on to change the folder, which is somebody else's afterwards.
    await Promise.allSettled(this.#leaving.values());
    const logs = [...this.#logs.values()];
    try {
      const limit = this.#settings.config.recoveryThreads;
      await forEachLimited(logs, limit, (log) => log.close());
      await this.#removals.run(() => Promise.resolve());
      // Last: until here a start is an unclean one.
      await this.#marksFile.save();
    } catch (error) {
      for (const log of logs) await log.abandon();
      // A disk out of service was reported when it failed.
      if (this.failure === null) throw error;
    }
  }

  async #open(): Promise<void> {
    const { path, config } = this.#settings;
    const { files, clock } = this.#ports;
    const beganMs = clock.monotonicMs();
    // The process before this one may have died between replacing the marks and making that durable;
    // what follows deletes by what they say.
    await files.syncDirectory(path);
    const marks = await readMarks(files, path);
    // A folder is emptied only when its new name is durable: under the old one it would be damaged.
    const renamed = Promise.withResolvers<void>();
    void this.#removals.run(() => renamed.promise);
    const folders: { name: string; topicPartition: TopicPartition }[] = [];
    for (const name of await files.list(path)) {
      const folder = parseFolder(name);
      if (folder?.kind === 'partition') folders.push({ name, ...folder });
      if (folder?.kind === 'deleted') this.#removeLater(name);
      if (folder?.kind === 'stray') {
        this.#reporter.warn({ folder: name }, 'a folder of an unknown topic was set aside before');
      }
    }
    const progress = new RecoveryProgress(folders.length, clock, this.#reporter, (state) =>
      this.#owner.onRecovery?.(state),
    );
    await forEachLimited(folders, config.recoveryThreads, async ({ name, topicPartition }) => {
      await this.#openFolder(name, topicPartition, marks.get(name), progress);
      marks.delete(name);
      progress.partitionDone();
    });
    for (const mark of marks.values()) this.#missFolder(mark);
    // Takes back that the logs are clean, before anything is served. It also makes durable that
    // folders were renamed.
    await this.#marksFile.save();
    renamed.resolve();
    this.#lastRetention = { wallMs: clock.wallMs(), monotonicMs: clock.monotonicMs() };
    this.#scheduleRetention();
    if (config.scrubBytesPerSecond > 0) this.#scrubber.start();
    const damaged = this.#damagedCount();
    this.#reporter.info(
      {
        ...{ path, logs: this.#logs.size, damaged, scannedBytes: progress.state.scannedBytes },
        ms: clock.monotonicMs() - beganMs,
      },
      'opened the data directory',
    );
  }

  #damagedCount(): number {
    let count = 0;
    for (const log of this.#logs.values()) if (log.corruption !== null) count++;
    return count;
  }

  async #openFolder(
    name: string,
    topicPartition: TopicPartition,
    found: LogMark | undefined,
    progress: RecoveryProgress,
  ): Promise<void> {
    const topicId = await this.#readTopicId(name, topicPartition, found);
    if (topicId === undefined) return;
    // A mark of an older topic of that name says nothing.
    const mark = found?.topicId === topicId ? found : undefined;
    const config = this.#owner.describe(topicPartition, topicId);
    if (config === 'deleted') {
      await this.#retire(name, topicId, 'delete');
      this.#removeLater(retiredFolder(name, topicId, 'delete'));
      return;
    }
    if (config === 'unknown') {
      this.#reporter.warn({ folder: name, topicId }, 'set aside a folder of an unknown topic');
      await this.#retire(name, topicId, 'stray');
      return;
    }
    const { files, clock } = this.#ports;
    const settings = {
      folder: `${this.#settings.path}/${name}`,
      indexIntervalBytes: config.indexIntervalBytes,
      producerIdsMax: this.#settings.config.producerIdsMax,
      nowMs: clock.wallMs(),
    };
    try {
      const recovered = await recoverLog(mark, settings, {
        ...{ files, reporter: this.#reporter },
        onScanned: (bytes) => progress.scanned(bytes),
      });
      this.#add(topicPartition, topicId, config, { recovered });
    } catch (error) {
      if (!(error instanceof LogCorruptError)) throw error;
      this.#addDamaged(topicPartition, topicId, config, {
        problem: error.message,
        mark: mark ?? null,
      });
    }
  }

  /** The topic that a folder is of; `undefined` if the folder was never finished and is gone now. */
  async #readTopicId(
    name: string,
    topicPartition: TopicPartition,
    mark: LogMark | undefined,
  ): Promise<TopicId | undefined> {
    const { files } = this.#ports;
    const describe = (id: TopicId) => {
      const config = this.#owner.describe(topicPartition, id);
      return typeof config === 'string' ? config : 'here';
    };
    const hints = { marked: mark?.topicId, describe };
    const ports = { files, reporter: this.#reporter };
    const topicId = await readTopicId(`${this.#settings.path}/${name}`, hints, ports);
    if (topicId === undefined) await this.#removeFolder(name);
    return topicId;
  }

  /** A mark without its folder: fine if the topic is gone, else the log is lost. */
  #missFolder(mark: LogMark): void {
    const config = this.#owner.describe(mark.topicPartition, mark.topicId);
    if (typeof config === 'string') return;
    const problem = `folder ${this.#settings.path}/${partitionName(mark.topicPartition)} is missing, it was durable up to offset ${mark.endOffset}`;
    this.#addDamaged(mark.topicPartition, mark.topicId, config, { problem, mark });
  }

  #addDamaged(
    topicPartition: TopicPartition,
    topicId: TopicId,
    config: TopicLogConfig,
    corrupt: CorruptLog,
  ): void {
    const partition = partitionName(topicPartition);
    const { problem, mark } = corrupt;
    this.#reporter.outOfService(partition, problem);
    const recovered = {
      ...emptyLog(this.#settings.config.producerIdsMax),
      logStartOffset: mark?.logStartOffset ?? offset(0),
    };
    this.#add(topicPartition, topicId, config, { recovered, corrupt });
  }

  #add(
    topicPartition: TopicPartition,
    topicId: TopicId,
    config: TopicLogConfig,
    content: ConstructorParameters<typeof Log>[3],
  ): Log {
    const { path: root } = this.#settings;
    const name = partitionName(topicPartition);
    const identity = { topicPartition, topicId, root, folder: `${root}/${name}` };
    const log = new Log(identity, config, this.#shared, content);
    this.#logs.set(name, log);
    return log;
  }

  /** Renames a folder, if it is there; the caller makes that durable. */
  async #retire(name: string, topicId: TopicId, as: 'delete' | 'stray'): Promise<void> {
    const { files } = this.#ports;
    const { path } = this.#settings;
    if ((await files.stat(`${path}/${name}`)) === undefined) return;
    await files.rename(`${path}/${name}`, `${path}/${retiredFolder(name, topicId, as)}`);
  }

  #removeLater(name: string): void {
    void this.#removals.run(async () => {
      try {
        await this.#removeFolder(name);
      } catch (error) {
        if (!(error instanceof FileError)) throw error;
        if (error.code === 'ENOENT') return;
        this.#reporter.warn({ folder: name, err: error }, 'cannot remove a deleted partition yet');
      }
    });
  }

  async #removeFolder(name: string): Promise<void> {
    const { files } = this.#ports;
    const folder = `${this.#settings.path}/${name}`;
    for (const file of await files.list(folder)) await files.removeFile(`${folder}/${file}`);
    await files.removeDirectory(folder);
  }

  /** Closes files that nobody uses. False if there is no use in waiting for a handle. */
  #giveBackHandles(): boolean {
    this.#shared.readers.closeIdle();
    this.#shared.writers.letGo(GIVEN_BACK);
    return this.failure === null;
  }

  async #prepareMarks(): Promise<void> {
    const changed = [...this.#changed];
    this.#changed.clear();
    await forEachLimited(changed, PREPARE_LIMIT, (log) => log.prepareMark());
  }

  #collectMarks(): LogMark[] {
    const marks: LogMark[] = [];
    for (const log of this.#logs.values()) {
      const mark = log.mark();
      if (mark !== null) marks.push(mark);
    }
    return marks;
  }

  #scheduleRetention(): void {
    const { retentionCheckIntervalMs } = this.#settings.config;
    this.#retentionTimer = this.#ports.timers.after(retentionCheckIntervalMs, () => {
      void this.#applyRetention();
    });
  }

  async #applyRetention(): Promise<void> {
    const { clock } = this.#ports;
    const now = { wallMs: clock.wallMs(), monotonicMs: clock.monotonicMs() };
    const { wallMs, monotonicMs } = this.#lastRetention;
    const elapsed = {
      wallMs: now.wallMs - wallMs,
      monotonicMs: now.monotonicMs - monotonicMs,
    };
    this.#lastRetention = now;
    const hasJumped = hasClockJumped(elapsed, CLOCK_TOLERANCE_MS);
    if (hasJumped) {
      this.#reporter.warn(elapsed, 'the clock has jumped, nothing is deleted by time this once');
    }
    try {
      for (const log of [...this.#logs.values()]) {
        // Meanwhile the directory may have been closed, or the log deleted, which it then says itself.
        if (this.#isClosed) return;
        await log.applyRetention(hasJumped ? null : now.wallMs, this.#owner.highWatermark(log));
      }
    } catch (error) {
      // Out of service: reported when it failed, and nothing can be deleted any more.
      if (this.failure === null) throw error;
      return;
    }
    this.#scheduleRetention();
  }
}
