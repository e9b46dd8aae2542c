import type { Clock, FileSystem } from '../env/ports.ts';
import type { CommitJournal } from './commit-journal.ts';
import type { DiskHealth } from './disk-health.ts';
import type { Flusher } from './flusher.ts';
import type { LogConfig } from './log-config.ts';
import type { LogReports } from './log-reports.ts';
import type { ReadAhead } from './read-ahead.ts';
import type { ReadBuffers } from './read-buffers.ts';
import type { SegmentReaders } from './segment-readers.ts';
import type { TailCache } from './tail-cache.ts';
import type { WriteHandles } from './write-handles.ts';

/** A log that has a mark. */
export interface Markable {
  /** Brings what is derivable up to date on disk, so that the mark can vouch for it. */
  prepareMark(): Promise<void>;
}

/** What all logs of a data directory share. */
export interface LogShared {
  readonly config: LogConfig;
  readonly clock: Clock;
  readonly files: FileSystem;
  readonly health: DiskHealth;
  readonly flusher: Flusher;
  readonly journal: CommitJournal;
  readonly readers: SegmentReaders;
  readonly readBuffers: ReadBuffers;
  readonly readAhead: ReadAhead;
  readonly writers: WriteHandles;
  readonly cache: TailCache;
  readonly reporter: LogReports;
  readonly marks: {
    /** The mark of a log has changed; it is written within the interval. */
    changed(log: Markable): void;
    /** Resolves when the marks of all logs as they are now are durable. */
    save(): Promise<void>;
  };
}
