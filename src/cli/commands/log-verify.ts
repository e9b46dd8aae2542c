import { verifyFolder } from '../../log/inspect.ts';
import type { CommandContext } from '../command-context.ts';
import { countReads } from '../counted-files.ts';
import { CommandError, ExitCode } from '../exit-code.ts';
import { findPartitionFolders } from '../partition-folders.ts';
import { formatBar, formatBytes, formatCount, Progress } from '../progress.ts';

export interface LogVerifyOptions {
  readonly json?: boolean;
}

/**
 * `varve log verify`: checks every batch, every index entry and every snapshot, offline. What is
 * wrong goes to the output, a line each; anything wrong is a failure.
 */
export async function verifyLog(
  path: string,
  options: LogVerifyOptions,
  context: CommandContext,
): Promise<void> {
  const { env, output, errors, signal } = context;
  const folders = await findPartitionFolders(env.files, path);
  const totalBytes = folders.reduce((sum, { bytes }) => sum + bytes, 0);
  let readBytes = 0;
  const files = countReads(env.files, (bytes) => {
    readBytes += bytes;
    // At every read, since a folder without findings would not come back to us before its end.
    signal.throwIfAborted();
  });
  const progress = new Progress(
    env,
    errors,
    () => `${formatBar(readBytes, totalBytes)}  ${formatBytes(Math.min(readBytes, totalBytes))}`,
  );
  let findings = 0;
  try {
    for (const folder of folders) {
      for await (const { file, position, problem } of verifyFolder(files, folder.path)) {
        findings++;
        const where = { file: `${folder.path}/${file}`, position: position < 0 ? null : position };
        if (options.json) await output.writeJson({ ...where, problem });
        else await output.write(`${describePlace(where)}: ${problem}\n`);
      }
    }
  } finally {
    progress.stop();
  }
  const checked = `${formatCount(folders.length)} partition${folders.length === 1 ? '' : 's'}, ${formatBytes(totalBytes)}`;
  if (findings > 0) {
    const problems = findings === 1 ? 'one problem' : `${formatCount(findings)} problems`;
    throw new CommandError(ExitCode.failure, `${path}: ${problems} in ${checked}`);
  }
  if (options.json) return;
  await output.write(`${path}: nothing wrong in ${checked}\n`);
}

const describePlace = (place: { readonly file: string; readonly position: number | null }) =>
  place.position === null ? place.file : `${place.file}:${place.position}`;
