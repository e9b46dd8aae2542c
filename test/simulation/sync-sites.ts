import type { SyncKind } from './env/simulated-disk.ts';

/**
 * Functions that sync on behalf of others: of a sync inside them the caller's line is part of the
 * site, for each caller could forget it by itself.
 */
const shared: readonly string[] = [
  'src/env/replace-file.ts',
  'src/log/index-files.ts',
  'src/log/producer-files.ts',
];

/** Files whose functions hand each call on as it is; no part of a site. */
const handingOn = /^src\/(?:log\/patient-files|cli\/counted-files)\.ts:/;

/** Frames inside `src/` that decide, innermost first, as `src/log/log-disk.ts:81`. */
function framesOf(stack: string): string[] {
  return [...stack.matchAll(/[/\\](src[/\\][\w/\\-]+\.ts):(\d+):\d+\)?$/gm)]
    .map(([, file, line]) => `${file!.replaceAll('\\', '/')}:${line}`)
    .filter((frame) => !handingOn.test(frame));
}

/** What is synced, without the names and numbers that differ from run to run. */
function subjectOf(kind: SyncKind, path: string, dataDirectory: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (kind === 'store') return 'metadata store';
  if (kind === 'file') return name.replace(/^\d{20}/, '*');
  if (path === dataDirectory) return 'data directory';
  return /-\d+$/.test(name) ? 'folder of a partition' : `folder ${path}`;
}

/**
 * The place in the program that asked for a sync: the line that calls it, with the line that called
 * that one if it stands in a function that many use, and what is synced. `undefined` if it was not
 * the program.
 */
export function syncSite(
  kind: SyncKind,
  path: string,
  stack: string,
  dataDirectory: string,
): string | undefined {
  const frames = framesOf(stack);
  if (frames.length === 0) return undefined;
  const isShared = (frame: string): boolean => shared.some((file) => frame.startsWith(file));
  const own = frames.findIndex((frame) => !isShared(frame));
  const chain = own === -1 ? frames : frames.slice(0, own + 1);
  const place = chain.length > 2 ? [chain[0], chain.at(-1)] : chain;
  return `${place.join(' < ')} (${subjectOf(kind, path, dataDirectory)})`;
}
