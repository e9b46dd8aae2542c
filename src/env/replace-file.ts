import type { FileSystem } from './ports.ts';

/**
 * Replaces a small file so that after a crash at any point its old or its new content is there,
 * never a mixture: write beside it, fsync, rename. That it is the new one is certain only after
 * `syncDirectory` of the folder, which one call can do for many files.
 */
export async function swapFile(
  files: FileSystem,
  directory: string,
  name: string,
  content: Uint8Array,
): Promise<void> {
  const temporary = `${directory}/${name}.tmp`;
  const file = await files.open(temporary, 'create');
  try {
    await file.truncate(0);
    await file.write(0, [content]);
    await file.sync();
  } finally {
    await file.close();
  }
  await files.rename(temporary, `${directory}/${name}`);
}

/** As `swapFile`, and the new content is there for good when it resolves. */
export async function replaceFile(
  files: FileSystem,
  directory: string,
  name: string,
  content: Uint8Array,
): Promise<void> {
  await swapFile(files, directory, name, content);
  await files.syncDirectory(directory);
}
