import type { Clock, FileSystem, Timer, Timers } from '../env/ports.ts';
import { assert } from '../model/assert.ts';
import {
  type Offset,
  offset,
  partitionName,
  type TopicId,
  type TopicPartition,
} from '../model/ids.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { CommitJournal } from './commit-journal.ts';
import { DiskHealth, LogCorruptError } from './disk-health.ts';
import type { LogMark } from './durable-marks.ts';
import { parseFolder, retiredFolder } from './file-names.ts';
import { Flusher } from './flusher.ts';
import type { JournalPoint } from './journal-format.ts';
import {
  type FoundJournal,
  type JournaledLog,
  raisedMark,
  readJournal,
  removeJournal,
  replayJournal,
} from './journal-replay.ts';
import { type CorruptLog, Log } from './log.ts';
import type { LogConfig } from './log-config.ts';
import { recoverLog, TORN_TAIL } from './log-recovery.ts';
import type { LogReporter } from './log-reporter.ts';
import { LogReports } from './log-reports.ts';
import type { LogShared, Markable } from './log-shared.ts';
import { emptyLog } from './log-state.ts';
import { MarksFile, readMarks } from './marks-file.ts';
import { patientFiles } from './patient-files.ts';
import { ReadAhead } from './read-ahead.ts';
import { ReadBuffers } from './read-buffers.ts';
import { RecoveryProgress, type RecoveryState } from './recovery-progress.ts';
import { hasClockJumped } from './retention.ts';
import { RetiredFolders } from './retired-folders.ts';
import { Scrubber } from './scrubber.ts';
import { SegmentReaders } from './segment-readers.ts';
import { forEachLimited } from './serial-lane.ts';
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
  readonly #retired: RetiredFolders;
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
    this.#retired = new RetiredFolders(path, files, reporter);
    const { timers, clock } = ports;
    const health = new DiskHealth((error) => {
      reporter.error({ err: error }, 'the data directory is out of service');
      owner.onFailure(error);
    });
    const { flushStallMs: stallMs, unwrittenMaxBytes: maxQueuedBytes } = config;
    const { journalPartitionsMin: journalFrom, journalBytes: maxBytes } = config;
    const flushing = { concurrency, stallMs, maxQueuedBytes, journalFrom };
    const journaling = { directory: path, maxBytes, stallMs };
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
      journal: new CommitJournal(journaling, { files, timers }, health, {
        onCommit: () => this.#marksFile.changed(),
        onStall: (ms) => owner.onFlushStall(ms),
      }),
      readers: new SegmentReaders({ limit: config.openSegmentsMax }, files, reporter),
      readBuffers: new ReadBuffers(),
      readAhead: new ReadAhead(clock, timers),
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
    const { scrubIntervalMs: intervalMs, scrubBytesPerSecond: bytesPerSecond } = config;
    this.#scrubber = new Scrubber({ intervalMs, bytesPerSecond }, ports, reporter, () =>
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

  get path(): string {
    return this.#settings.path;
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
      await this.#retired.retire(name, log.topicId, 'delete');
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
    this.#retired.removeLater(retiredFolder(name, log.topicId, 'delete'));
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
      await this.#retired.settled();
      // Last: until here a start is an unclean one.
      await this.#marksFile.save();
      await this.#shared.journal.clear();
    } catch (error) {
      for (const log of logs) await log.abandon();
      await this.#shared.journal.abandon();
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
    const { logs: marks, journal: journaled } = await readMarks(files, path);
    const journal = await readJournal(files, path, journaled);
    if (journal.torn !== null) this.#reporter.warn(journal.torn, TORN_TAIL);
    // A folder is emptied only when its new name is durable: under the old one it would be damaged.
    const renamed = Promise.withResolvers<void>();
    this.#retired.holdUntil(renamed.promise);
    const folders: { name: string; topicPartition: TopicPartition }[] = [];
    for (const name of await files.list(path)) {
      const folder = parseFolder(name);
      if (folder?.kind === 'partition') folders.push({ name, ...folder });
      if (folder?.kind === 'deleted') this.#retired.removeLater(name);
      if (folder?.kind === 'stray') {
        this.#reporter.warn({ folder: name }, 'a folder of an unknown topic was set aside before');
      }
    }
    const progress = new RecoveryProgress(folders.length, clock, this.#reporter, (state) =>
      this.#owner.onRecovery?.(state),
    );
    await forEachLimited(folders, config.recoveryThreads, async ({ name, topicPartition }) => {
      const found = { mark: marks.get(name), journal };
      await this.#openFolder(name, topicPartition, found, progress);
      marks.delete(name);
      progress.partitionDone();
    });
    for (const mark of marks.values()) this.#missFolder(mark);
    // Takes back that the logs are clean, before anything is served. It also makes durable that
    // folders were renamed.
    this.#shared.journal.begin(journal.nextNumber);
    await this.#marksFile.save();
    renamed.resolve();
    await removeJournal(files, path, journal);
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
    return [...this.#logs.values()].filter(({ corruption }) => corruption !== null).length;
  }

  async #openFolder(
    name: string,
    topicPartition: TopicPartition,
    found: { readonly mark: LogMark | undefined; readonly journal: FoundJournal },
    progress: RecoveryProgress,
  ): Promise<void> {
    const topicId = await this.#readTopicId(name, topicPartition, found.mark);
    if (topicId === undefined) return;
    // A mark of an older topic of that name says nothing.
    const mark = found.mark?.topicId === topicId ? found.mark : undefined;
    const { partition } = topicPartition;
    const journaled = found.journal.writesOf({ topicId, partition });
    const { files, clock } = this.#ports;
    const folder = `${this.#settings.path}/${name}`;
    const config = this.#owner.describe(topicPartition, topicId);
    if (config === 'deleted') {
      await this.#retired.retire(name, topicId, 'delete');
      this.#retired.removeLater(retiredFolder(name, topicId, 'delete'));
      return;
    }
    if (config === 'unknown') {
      this.#reporter.warn({ folder: name, topicId }, 'set aside a folder of an unknown topic');
      const logStartOffset = mark?.logStartOffset ?? offset(0);
      await this.#completeStray(folder, { writes: journaled, logStartOffset });
      await this.#retired.retire(name, topicId, 'stray');
      return;
    }
    const settings = {
      ...{ folder, journaled },
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
        mark: raisedMark(mark ?? null, { topicPartition, topicId }, journaled),
      });
    }
  }

  /** A folder that is set aside holds all that was acknowledged. */
  async #completeStray(folder: string, journaled: JournaledLog): Promise<void> {
    try {
      await replayJournal(this.#ports.files, folder, journaled);
    } catch (error) {
      if (!(error instanceof LogCorruptError)) throw error;
      this.#reporter.warn({ folder, err: error }, 'a folder that is set aside is damaged');
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
    if (topicId === undefined) await this.#retired.remove(name);
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

  #collectMarks(): { readonly logs: readonly LogMark[]; readonly journal: JournalPoint } {
    const logs: LogMark[] = [];
    for (const log of this.#logs.values()) {
      const mark = log.mark();
      if (mark !== null) logs.push(mark);
    }
    return { logs, journal: this.#shared.journal.point };
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
    const elapsed = { wallMs: now.wallMs - wallMs, monotonicMs: now.monotonicMs - monotonicMs };
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
