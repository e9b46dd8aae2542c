import type { FileSystem } from '../../../src/env/ports.ts';

/** Counts what is open from now on, and how often something was opened. */
export function countOpen(files: FileSystem): { open: number; opened: number } {
  const count = { open: 0, opened: 0 };
  const open = files.open.bind(files);
  files.open = async (path, mode) => {
    const file = await open(path, mode);
    const close = file.close.bind(file);
    count.open++;
    count.opened++;
    file.close = () => {
      count.open--;
      return close();
    };
    return file;
  };
  return count;
}
