import { type SettingGroup, setting } from '../config/setting.ts';

/**
 * How safe an acknowledged record is on one broker. `durable`: fsynced. `replicated`: in the page
 * cache; it survives the death of the process, but a power cut of all replicas at once may take it.
 */
export type Durability = 'durable' | 'replicated';

export type TimestampType = 'CreateTime' | 'LogAppendTime';

/** What a topic can have set for itself. Names, types and defaults are Kafka's where Kafka has them. */
export interface TopicLogConfig {
  readonly cleanupPolicy: readonly 'delete'[];
  readonly compressionType: 'producer';
  readonly durability: Durability;
  readonly maxMessageBytes: number;
  readonly messageTimestampType: TimestampType;
  readonly messageTimestampBeforeMaxMs: number;
  readonly messageTimestampAfterMaxMs: number;
  readonly minInsyncReplicas: number;
  /** -1: no limit. */
  readonly retentionMs: number;
  /** -1: no limit. */
  readonly retentionBytes: number;
  readonly segmentBytes: number;
  readonly segmentMs: number;
  readonly segmentIndexBytes: number;
  readonly indexIntervalBytes: number;
}

const DAY_MS = 86_400_000;
const GIB = 1024 ** 3;

/** Positions in a segment are 32 bits wide in its offset index. */
const MAX_SEGMENT_BYTES = 2 ** 31 - 1;

/** Makes a key of a topic's key. */
type KeyOf = (topicKey: string) => string;

/** The settings under the keys that `keyOf` makes of the topic's keys. */
function declare(keyOf: KeyOf): SettingGroup<TopicLogConfig> {
  return {
    ...declareSegments(keyOf),
    cleanupPolicy: setting.list({
      key: keyOf('cleanup.policy'),
      default: ['delete'],
      values: ['delete'],
      min: 1,
      doc: 'What happens to old segments. Only `delete` is there; compaction is not built yet.',
    }),
    compressionType: setting.oneOf({
      key: keyOf('compression.type'),
      default: 'producer',
      values: ['producer'],
      doc: 'Batches stay as their producer compressed them; the broker never compresses anew.',
    }),
    durability: setting.oneOf({
      key: keyOf('durability'),
      default: 'durable',
      values: ['durable', 'replicated'],
      doc: '`durable`: a record is acknowledged after it is fsynced. `replicated`: when it is in the page cache; a power cut of all replicas at once may take it.',
    }),
    maxMessageBytes: setting.bytes({
      key: keyOf('max.message.bytes'),
      default: 1_048_588,
      min: 1,
      max: MAX_SEGMENT_BYTES,
      doc: 'The largest record batch, as it is stored.',
    }),
    messageTimestampType: setting.oneOf({
      key: keyOf('message.timestamp.type'),
      default: 'CreateTime',
      values: ['CreateTime', 'LogAppendTime'],
      doc: 'Whether records carry the time of their producer or the time of the append.',
    }),
    messageTimestampBeforeMaxMs: setting.ms({
      key: keyOf('message.timestamp.before.max.ms'),
      default: Number.MAX_SAFE_INTEGER,
      doc: 'How far a record’s timestamp may lie before the broker’s clock. Not looked at with LogAppendTime.',
    }),
    messageTimestampAfterMaxMs: setting.ms({
      key: keyOf('message.timestamp.after.max.ms'),
      default: 3_600_000,
      doc: 'How far a record’s timestamp may lie after the broker’s clock. Not looked at with LogAppendTime.',
    }),
    minInsyncReplicas: setting.int({
      key: keyOf('min.insync.replicas'),
      default: 2,
      min: 1,
      doc: 'How many replicas must be in sync for `acks=all`; the replication factor if that is less.',
    }),
    retentionMs: setting.ms({
      key: keyOf('retention.ms'),
      default: 7 * DAY_MS,
      min: -1,
      doc: 'Segments whose records are all older are deleted. -1: no limit.',
    }),
    retentionBytes: setting.bytes({
      key: keyOf('retention.bytes'),
      default: -1,
      min: -1,
      doc: 'The oldest segments of a partition are deleted while at least this much remains. -1: no limit.',
    }),
  };
}

type SegmentSettings = Pick<
  TopicLogConfig,
  'segmentBytes' | 'segmentMs' | 'segmentIndexBytes' | 'indexIntervalBytes'
>;

function declareSegments(keyOf: KeyOf): SettingGroup<SegmentSettings> {
  return {
    segmentBytes: setting.bytes({
      key: keyOf('segment.bytes'),
      default: GIB,
      min: 16 * 1024,
      max: MAX_SEGMENT_BYTES,
      doc: 'A segment that would grow beyond this is closed and a new one begun.',
    }),
    segmentMs: setting.ms({
      key: keyOf('segment.ms'),
      default: 7 * DAY_MS,
      min: 1,
      doc: 'A segment whose first record is older is closed at the next append.',
    }),
    segmentIndexBytes: setting.bytes({
      key: keyOf('segment.index.bytes'),
      default: 10 * 1024 ** 2,
      min: 1024,
      max: 256 * 1024 ** 2,
      doc: 'A segment whose index reaches this size is closed at the next append.',
    }),
    indexIntervalBytes: setting.bytes({
      key: keyOf('index.interval.bytes'),
      default: 4096,
      max: MAX_SEGMENT_BYTES,
      doc: 'About one index entry is kept for so many bytes of a segment.',
    }),
  };
}

/** Broker keys that are not simply `log.` and the topic's key. */
const brokerKeys: ReadonlyMap<string, string> = new Map([
  ['compression.type', 'compression.type'],
  ['max.message.bytes', 'message.max.bytes'],
  ['min.insync.replicas', 'min.insync.replicas'],
  ['segment.ms', 'log.roll.ms'],
  ['segment.index.bytes', 'log.index.size.max.bytes'],
]);

/** The settings of a topic by Kafka's topic keys (`retention.ms`). */
export const topicLogSettings: SettingGroup<TopicLogConfig> = declare((key) => key);

/** What topics get that set nothing: the same settings by the broker's keys (`log.retention.ms`). */
export const topicLogDefaultSettings: SettingGroup<TopicLogConfig> = declare(
  (key) => brokerKeys.get(key) ?? `log.${key}`,
);

/**
 * The frozen configuration of a topic: its own settings by topic keys, else the broker's defaults.
 * Throws `SettingError` for a value that is not valid; keys it does not know are ignored.
 */
export function topicLogConfig(
  defaults: TopicLogConfig,
  overrides: ReadonlyMap<string, string>,
): TopicLogConfig {
  const values: Record<string, unknown> = { ...defaults };
  for (const [name, declared] of Object.entries(topicLogSettings)) {
    const text = overrides.get(declared.key);
    if (text !== undefined) values[name] = declared.parse(text);
  }
  return Object.freeze(values) as unknown as TopicLogConfig;
}
