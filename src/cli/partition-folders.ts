import type { FileSystem } from '../env/ports.ts';
import { parseFolder, parseOffsetFile } from '../log/file-names.ts';
import { CommandError, ExitCode } from './exit-code.ts';

/** The folder of a partition, with what its segments come to. */
export interface PartitionFolder {
  readonly path: string;
  /** Of all `.log` files. */
  readonly bytes: number;
}

/**
 * The folder itself if it is one of a partition, or all such folders in it if it is a data
 * directory: of this program or of Kafka.
 */
export async function findPartitionFolders(
  files: FileSystem,
  path: string,
): Promise<PartitionFolder[]> {
  const found = await files.stat(path);
  if (found?.kind !== 'directory') {
    const problem = found === undefined ? 'there is no such folder' : 'this is not a folder';
    throw new CommandError(ExitCode.failure, `${path}: ${problem}`);
  }
  const own = await asPartitionFolder(files, path);
  if (own !== undefined) return [own];
  const folders: PartitionFolder[] = [];
  for (const name of await files.list(path)) {
    if (parseFolder(name) === undefined) continue;
    const folder = await asPartitionFolder(files, `${path}/${name}`);
    if (folder !== undefined) folders.push(folder);
  }
  if (folders.length > 0) return folders;
  throw new CommandError(
    ExitCode.failure,
    `${path} holds neither segments (00000000000000000000.log) nor folders of partitions (TOPIC-N)`,
  );
}

async function asPartitionFolder(
  files: FileSystem,
  path: string,
): Promise<PartitionFolder | undefined> {
  if ((await files.stat(path))?.kind !== 'directory') return undefined;
  const names = await files.list(path);
  const segments = names.filter((name) => parseOffsetFile(name)?.suffix === '.log');
  if (segments.length === 0) return undefined;
  let bytes = 0;
  for (const name of segments) bytes += (await files.stat(`${path}/${name}`))?.size ?? 0;
  return { path, bytes };
}
