import { type SettingGroup, setting } from '../config/setting.ts';

/** What a broker has set for all logs of its data directory. */
export interface LogConfig {
  readonly retentionCheckIntervalMs: number;
  readonly marksIntervalMs: number;
  readonly tailCacheBytes: number;
  readonly unwrittenMaxBytes: number;
  readonly flushStallMs: number;
  readonly journalBytes: number;
  readonly journalPartitionsMin: number;
  readonly recoveryThreads: number;
  readonly openSegmentsMax: number;
  readonly openWritersMax: number;
  readonly scrubIntervalMs: number;
  readonly scrubBytesPerSecond: number;
  readonly producerIdExpirationMs: number;
  readonly producerIdsMax: number;
  readonly producerSnapshotBytes: number;
}

const MIB = 1024 ** 2;

export const logSettings: SettingGroup<LogConfig> = {
  retentionCheckIntervalMs: setting.ms({
    key: 'log.retention.check.interval.ms',
    default: 300_000,
    min: 1,
    doc: 'How often segments are looked through for what may be deleted.',
  }),
  marksIntervalMs: setting.ms({
    key: 'log.marks.interval.ms',
    default: 1000,
    min: 1,
    doc: 'How often the marks of what is durable are written, if they changed. After an unclean stop only what lies above them is checked.',
  }),
  tailCacheBytes: setting.bytes({
    key: 'log.tail.cache.bytes',
    default: 64 * MIB,
    doc: 'Newest batches of all partitions together that are kept in memory for readers.',
  }),
  unwrittenMaxBytes: setting.bytes({
    key: 'log.unwritten.max.bytes',
    default: 256 * MIB,
    min: 1,
    doc: 'Appended batches of all partitions together that may wait to be written; more are answered BROKER_OVERLOADED.',
  }),
  flushStallMs: setting.ms({
    key: 'log.flush.stall.ms',
    default: 10_000,
    min: 1,
    doc: 'A round of writes and fsyncs of a log that takes longer is reported in the log.',
  }),
  journalBytes: setting.bytes({
    key: 'log.journal.bytes',
    default: 64 * MIB,
    min: 1,
    doc: 'How large the commit journal grows, which partitions share when many are written to at a time. So much may be held in memory and, after an unclean stop, written to their files at start.',
  }),
  journalPartitionsMin: setting.int({
    key: 'log.journal.partitions.min',
    default: 16,
    min: 1,
    doc: 'When so many partitions wait for an fsync, one of the journal stands for those of all. Fewer have their own files fsynced.',
  }),
  recoveryThreads: setting.int({
    key: 'num.recovery.threads.per.data.dir',
    default: 2,
    min: 1,
    doc: 'How many logs are opened at a time at start.',
  }),
  openSegmentsMax: setting.int({
    key: 'log.open.segments.max',
    default: 128,
    min: 1,
    doc: 'How many segments are kept open for reading, each with a file handle and its indexes.',
  }),
  openWritersMax: setting.int({
    key: 'log.open.writers.max',
    default: 2048,
    min: 1,
    doc: 'How many partitions keep the file of their active segment open for writing; more are closed and opened again at their next write. With the connections it has to stay below the limit of open files of the process.',
  }),
  scrubIntervalMs: setting.ms({
    key: 'log.scrub.interval.ms',
    default: 7 * 86_400_000,
    min: 1,
    doc: 'How often all that is durable is read and checked in the background, so that rot is found in time; longer if the rate does not allow it.',
  }),
  scrubBytesPerSecond: setting.bytes({
    key: 'log.scrub.bytes.per.second',
    default: 4 * MIB,
    doc: 'How much is read for that in a second, at most; 0 switches it off.',
  }),
  producerIdExpirationMs: setting.ms({
    key: 'producer.id.expiration.ms',
    default: 86_400_000,
    min: 1,
    doc: 'A partition forgets an idempotent producer that has appended nothing for so long.',
  }),
  producerIdsMax: setting.int({
    key: 'log.producer.ids.max',
    default: 100_000,
    min: 1,
    doc: 'How many idempotent producers a partition remembers; appends of more are answered BROKER_OVERLOADED until some expire.',
  }),
  producerSnapshotBytes: setting.bytes({
    key: 'log.producer.snapshot.bytes',
    default: 64 * MIB,
    min: 1,
    doc: 'After so many appended bytes the producers of a partition are saved, so that after a crash little more than this is read for them.',
  }),
};
