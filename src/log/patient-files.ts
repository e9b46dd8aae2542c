import { delay } from '../env/abortable.ts';
import { type Clock, FileError, type FileSystem, type Timers } from '../env/ports.ts';
import type { LogReporter } from './log-reporter.ts';

/** How long until the next try. */
const RETRY_MS = 50;
/** How often a shortage that goes on is reported. */
const REPORT_MS = 10_000;

/**
 * The same files for who can wait: what gets no file handle, because the process or the system has
 * as many files open as it may, has done nothing and is no damage. It is tried again until there is
 * one, so the data directory stays in service.
 *
 * @param giveBack asked before each further try to close what is idle; false gives up
 */
export function patientFiles(
  ports: { readonly files: FileSystem; readonly clock: Clock; readonly timers: Timers },
  reporter: LogReporter,
  giveBack: () => boolean,
): FileSystem {
  const { files, clock, timers } = ports;
  let reportedMs = Number.NEGATIVE_INFINITY;
  const report = (shortage: FileError): void => {
    const nowMs = clock.monotonicMs();
    if (nowMs - reportedMs < REPORT_MS) return;
    reportedMs = nowMs;
    reporter.warn(
      { err: shortage },
      'waiting for a free file handle: allow this process to open more files, or lower log.open.writers.max',
    );
  };
  const patiently = async <T>(work: () => Promise<T>): Promise<T> => {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (!isShortage(error) || !giveBack()) throw error;
        report(error);
        await delay(RETRY_MS, timers);
      }
    }
  };
  return {
    open: (path, mode) => patiently(() => files.open(path, mode)),
    readFile: (path) => patiently(() => files.readFile(path)),
    list: (path) => patiently(() => files.list(path)),
    stat: (path) => files.stat(path),
    makeDirectory: (path) => files.makeDirectory(path),
    rename: (from, to) => files.rename(from, to),
    removeFile: (path) => files.removeFile(path),
    removeDirectory: (path) => files.removeDirectory(path),
    syncDirectory: (path) => patiently(() => files.syncDirectory(path)),
  };
}

const isShortage = (error: unknown): error is FileError =>
  error instanceof FileError && (error.code === 'EMFILE' || error.code === 'ENFILE');
