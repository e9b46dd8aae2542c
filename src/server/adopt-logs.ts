import { type GivenSettings, parseSettings } from '../config/parse-settings.ts';
import { Controller } from '../controller/controller.ts';
import { controllerSettings } from '../controller/controller-config.ts';
import type { Env } from '../env/ports.ts';
import { replaceFile } from '../env/replace-file.ts';
import type { DurableMarks } from '../log/durable-marks.ts';
import {
  formatTopicId,
  IDENTITY_FILE,
  parseFolder,
  parseTopicId,
  TOPIC_ID_FILE,
} from '../log/file-names.ts';
import { readIfThere } from '../log/index-files.ts';
import { type FoundJournal, readJournal } from '../log/journal-replay.ts';
import type { Log } from '../log/log.ts';
import { readMarks } from '../log/marks-file.ts';
import { topicLogDefaultSettings, topicLogSettings } from '../log/topic-config.ts';
import { type MetadataImage, topicByName } from '../metadata/image.ts';
import {
  NO_PRODUCER_ID,
  type NodeId,
  partitionName,
  producerId,
  type TopicId,
  type TopicPartition,
} from '../model/ids.ts';
import type { Logger } from '../telemetry/logger.ts';
import { noMetrics } from '../telemetry/no-metrics.ts';
import { checkCopiedFolder } from './copied-folder.ts';
import { DataDirectory } from './data-directory.ts';
import { describeLog } from './describe-log.ts';

export interface AdoptOptions {
  /** That of a node which is stopped. */
  readonly dataDir: string;
  readonly nodeId: NodeId;
}

/** What a partition holds now. */
export interface AdoptedLog {
  readonly partition: string;
  readonly logStartOffset: number;
  readonly logEndOffset: number;
}

/** The defaults: what else is set for the node decides nothing here. */
const SETTINGS: GivenSettings = new Map();
const IO_THREADS = 4;

/**
 * Makes logs this node's own that were copied into its data directory: folders of partitions of a Kafka,
 * in the place of those of a topic that was made before, by the same name. All batches are checked, indexes
 * are made anew, and the metadata catch up with the leader epochs and producer ids in them. May be
 * repeated.
 *
 * @returns what was adopted; nothing if no folder was copied in
 * @throws Error if the folder is no data directory, is in use, or holds a log that is damaged, is of no
 * topic or takes the place of one with records; then the metadata are as they were
 */
export async function adoptLogs(
  { dataDir: path, nodeId }: AdoptOptions,
  env: Env,
  logger: Logger,
): Promise<AdoptedLog[]> {
  if ((await env.files.stat(`${path}/${IDENTITY_FILE}`)) === undefined) {
    throw new Error(`${path} is no data directory of a node; give the one that varve start has`);
  }
  const options = { path, nodeId, clusterId: '', settings: SETTINGS, ioThreads: IO_THREADS };
  let failure: unknown;
  const fail = (error: unknown): void => {
    failure ??= error;
  };
  const data = await DataDirectory.open(options, env, logger, fail);
  try {
    const config = parseSettings(controllerSettings, SETTINGS);
    const { quorum, identity } = data;
    const controller = new Controller(config, env.random, quorum, identity, topicLogSettings);
    await data.leadAlone(controller.replica);
    const folders = await foreignFolders(path, controller.image, env);
    await takeFolders(path, folders, env);
    const adopted = new Set(folders.map(({ name }) => name));
    const logs = await openLogs(data, controller, fail);
    const older = logs.filter((log) => adopted.has(nameOf(log)) || isAhead(log, controller.image));
    await controller.adoptLogs({
      epochs: older.map(({ topicId, topicPartition, leaderEpochs }) => ({
        ...{ topicId, partition: topicPartition.partition, leaderEpoch: leaderEpochs.latestEpoch },
      })),
      largestProducerId: logs
        .flatMap((log) => Array.from(log.producers, ({ id }) => id))
        .reduce((largest, id) => producerId(Math.max(largest, id)), NO_PRODUCER_ID),
    });
    if (failure !== undefined) throw failure;
    return older.map((log) => ({
      partition: nameOf(log),
      logStartOffset: log.logStartOffset,
      logEndOffset: log.logEndOffset,
    }));
  } finally {
    await data.close();
  }
}

const nameOf = ({ topicPartition }: Log): string => partitionName(topicPartition);

/** A folder that is of a topic of another cluster, or says of none, and has the name of a known one. */
interface ForeignFolder {
  readonly name: string;
  readonly topicId: TopicId;
}

/** What was copied in; nothing is written yet. */
async function foreignFolders(
  path: string,
  image: MetadataImage,
  { files }: Env,
): Promise<ForeignFolder[]> {
  const found: ForeignFolder[] = [];
  const marks = await readMarks(files, path);
  const journal = await readJournal(files, path, marks.journal);
  for (const name of await files.list(path)) {
    const folder = parseFolder(name);
    if (folder?.kind !== 'partition') continue;
    const content = await readIfThere(files, `${path}/${name}/${TOPIC_ID_FILE}`);
    const stated = content && parseTopicId(new TextDecoder().decode(content));
    const isOwn = (id: TopicId): boolean => image.topics.has(id) || image.removedTopics.has(id);
    if (stated !== undefined && isOwn(stated)) continue;
    const { topic, partition } = folder.topicPartition;
    const known = topicByName(image, topic);
    if (known?.partitions[partition] === undefined) {
      throw new Error(
        `${path}/${name} is of no topic that is known; make topic ${topic} with at least ${partition + 1} partitions first`,
      );
    }
    const { topicId } = known;
    if (hasHadRecords({ ...folder.topicPartition, topicId }, marks, journal)) {
      throw new Error(
        `${path}/${name} takes the place of a log that has had records here; move the folder away, delete topic ${topic} and make it anew, and copy the folder in again`,
      );
    }
    await checkCopiedFolder(`${path}/${name}`, files);
    found.push({ name, topicId });
  }
  return found;
}

/**
 * What marks and journal hold of a log that was there before would be taken for what the new one should
 * have, and be written into it.
 */
function hasHadRecords(
  key: TopicPartition & { readonly topicId: TopicId },
  marks: DurableMarks,
  journal: FoundJournal,
): boolean {
  const mark = marks.logs.get(partitionName(key));
  const hasEnded = mark?.topicId === key.topicId && mark.endOffset > 0;
  return hasEnded || journal.writesOf(key).length > 0;
}

/** Says in each folder that it is of the topic of its name. */
async function takeFolders(
  path: string,
  folders: readonly ForeignFolder[],
  { files }: Env,
): Promise<void> {
  for (const { name, topicId } of folders) {
    const bytes = new TextEncoder().encode(formatTopicId(topicId));
    await replaceFile(files, `${path}/${name}`, TOPIC_ID_FILE, bytes);
  }
}

/** Recovers all logs; none may be damaged. */
async function openLogs(
  data: DataDirectory,
  { image }: Controller,
  onFailure: (error: unknown) => void,
): Promise<Log[]> {
  const defaults = parseSettings(topicLogDefaultSettings, SETTINGS);
  const directory = await data.openLogs(
    {
      describe: ({ topic }, topicId) => describeLog(image, topic, topicId, defaults),
      // Retention has to wait for a node that serves.
      highWatermark: (log) => log.logStartOffset,
      onFailure,
      onFlushStall() {},
    },
    noMetrics,
  );
  const logs = [...directory.logs()];
  for (const log of logs) {
    if (log.corruption !== null) throw new Error(`nothing was adopted: ${log.corruption}`);
  }
  return logs;
}

/** Whether a log has seen leaders that the metadata do not know of. */
function isAhead({ topicId, topicPartition, leaderEpochs }: Log, image: MetadataImage): boolean {
  const known = image.topics.get(topicId)?.partitions[topicPartition.partition];
  return known !== undefined && leaderEpochs.latestEpoch > known.leaderEpoch;
}
