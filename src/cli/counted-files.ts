import type { File, FileSystem } from '../env/ports.ts';

/** The same files, telling `onRead` of all bytes that are read from those that are opened. */
export function countReads(files: FileSystem, onRead: (bytes: number) => void): FileSystem {
  return {
    open: async (path, mode) => countFileReads(await files.open(path, mode), onRead),
    readFile: (path) => files.readFile(path),
    list: (path) => files.list(path),
    stat: (path) => files.stat(path),
    makeDirectory: (path) => files.makeDirectory(path),
    rename: (from, to) => files.rename(from, to),
    removeFile: (path) => files.removeFile(path),
    removeDirectory: (path) => files.removeDirectory(path),
    syncDirectory: (path) => files.syncDirectory(path),
  };
}

function countFileReads(file: File, onRead: (bytes: number) => void): File {
  return {
    path: file.path,
    read: async (position, length, into) => {
      const bytes = await file.read(position, length, into);
      onRead(bytes.length);
      return bytes;
    },
    write: (position, buffers) => file.write(position, buffers),
    size: () => file.size(),
    truncate: (size) => file.truncate(size),
    sync: () => file.sync(),
    close: () => file.close(),
  };
}
