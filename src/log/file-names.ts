import { type Offset, offset, type TopicId, type TopicPartition, topicId } from '../model/ids.ts';

/**
 * Names in a data directory and in the folder of a partition. Inside a partition's folder they are
 * Kafka's, except `.producers`, which is ours.
 */
export const IDENTITY_FILE = 'identity.json';
export const MARKS_FILE = 'durable-marks';
export const TOPIC_ID_FILE = 'partition.metadata';
export const EPOCHS_FILE = 'leader-epoch-checkpoint';

const JOURNAL_PREFIX = 'commit-journal.';

/** Name of a part of the commit journal. */
export const journalFile = (number: number): string =>
  `${JOURNAL_PREFIX}${String(number).padStart(20, '0')}`;

/** The number in a name that `journalFile` makes; `undefined` for all other names. */
export function parseJournalFile(name: string): number | undefined {
  const number = Number(name.slice(JOURNAL_PREFIX.length));
  return Number.isSafeInteger(number) && name === journalFile(number) ? number : undefined;
}

/** Files of a segment, or named like one by an offset. */
export type OffsetFileSuffix = '.log' | '.index' | '.timeindex' | '.snapshot' | '.producers';

const suffixes: readonly string[] = ['.log', '.index', '.timeindex', '.snapshot', '.producers'];

/** `00000000000000000042.log` */
export const offsetFile = (at: Offset, suffix: OffsetFileSuffix): string =>
  `${String(at).padStart(20, '0')}${suffix}`;

/** The offset and suffix of a name that `offsetFile` makes; `undefined` for all other names. */
export function parseOffsetFile(
  name: string,
): { readonly at: Offset; readonly suffix: OffsetFileSuffix } | undefined {
  const digits = name.slice(0, 20);
  const suffix = name.slice(20);
  if (!/^\d{20}$/.test(digits) || !suffixes.includes(suffix)) return undefined;
  const at = Number(digits);
  if (!Number.isSafeInteger(at)) return undefined;
  return { at: offset(at), suffix: suffix as OffsetFileSuffix };
}

/** What a folder in a data directory is. */
export type FolderName =
  | { readonly kind: 'partition'; readonly topicPartition: TopicPartition }
  | { readonly kind: 'deleted' | 'stray'; readonly name: string };

/** `undefined` for names that no folder of a partition has. */
export function parseFolder(name: string): FolderName | undefined {
  const ended = /\.[A-Za-z0-9_-]{22}-(delete|stray)$/.exec(name);
  if (ended !== null) return { kind: ended[1] === 'delete' ? 'deleted' : 'stray', name };
  const match = /^([A-Za-z0-9._-]{1,249})-(0|[1-9]\d{0,8})$/.exec(name);
  if (match === null) return undefined;
  return {
    kind: 'partition',
    topicPartition: { topic: match[1]!, partition: Number(match[2]) },
  };
}

/** Most bytes of a name on the usual file systems; ours are ASCII. */
const MAX_NAME_BYTES = 255;

/**
 * The name a folder gets when its partition was deleted (`delete`) or is unknown (`stray`). The topic
 * is shortened where the name would be too long, as in Kafka; partition and id tell them apart.
 */
export function retiredFolder(folder: string, id: TopicId, as: 'delete' | 'stray'): string {
  const at = folder.lastIndexOf('-');
  const end = `${folder.slice(at)}.${id}-${as}`;
  return `${folder.slice(0, Math.min(at, MAX_NAME_BYTES - end.length))}${end}`;
}

/** Content of `partition.metadata`. */
export const formatTopicId = (id: TopicId): string => `version: 0\ntopic_id: ${id}\n`;

/** The topic id in a `partition.metadata`; `undefined` if it says none. */
export function parseTopicId(text: string): TopicId | undefined {
  const match = /^version: 0\ntopic_id: ([A-Za-z0-9_-]{22})\n?$/.exec(text);
  return match === null ? undefined : topicId(match[1]!);
}
