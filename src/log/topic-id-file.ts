import type { FileSystem } from '../env/ports.ts';
import { replaceFile } from '../env/replace-file.ts';
import type { TopicId } from '../model/ids.ts';
import { StorageError } from './disk-health.ts';
import { formatTopicId, parseTopicId, TOPIC_ID_FILE } from './file-names.ts';
import { readIfThere } from './index-files.ts';
import type { LogReports } from './log-reports.ts';

/** What is known of a folder's topic from elsewhere. */
export interface TopicIdHints {
  /** What the marks say, with a checksum; perhaps of an older topic of that name. */
  readonly marked: TopicId | undefined;
  /** Whether the metadata knows that topic, and whether it is still there. */
  readonly describe: (topicId: TopicId) => 'here' | 'deleted' | 'unknown';
}

/**
 * The topic that the folder of a log is of; `undefined` if the folder was never finished, so that
 * nothing can have been appended. The file has no checksum (DESIGN D19): if it names no topic that
 * there is or was, but the marks do, it is made anew from them. Throws `StorageError` if nobody
 * knows.
 */
export async function readTopicId(
  folder: string,
  hints: TopicIdHints,
  ports: { readonly files: FileSystem; readonly reporter: LogReports },
): Promise<TopicId | undefined> {
  const { files, reporter } = ports;
  const { marked, describe } = hints;
  const path = `${folder}/${TOPIC_ID_FILE}`;
  const bytes = await readIfThere(files, path);
  const found = bytes === undefined ? undefined : parseTopicId(new TextDecoder().decode(bytes));
  const isUseless = found === undefined || describe(found) === 'unknown';
  if (isUseless && marked !== undefined && describe(marked) === 'here') {
    await replaceFile(
      files,
      folder,
      TOPIC_ID_FILE,
      new TextEncoder().encode(formatTopicId(marked)),
    );
    reporter.rebuilt('topic-id', path, `it says ${found ?? 'nothing'}, the marks ${marked}`);
    return marked;
  }
  if (found !== undefined) return found;
  const names = await files.list(folder);
  if (!names.some((file) => file.endsWith('.log'))) return undefined;
  throw new StorageError(
    `${folder} has segments, but its ${TOPIC_ID_FILE} does not say of which topic; restore that file, or move the folder away`,
  );
}
