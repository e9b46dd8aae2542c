import type { SyncKind } from './env/simulated-disk.ts';

/** A call inside `src/`. */
interface Frame {
  /** As `src/log/log-disk.ts:81`. */
  readonly place: string;
  /** Its last name; empty if it has none. */
  readonly method: string;
}

/**
 * Functions that sync on behalf of others: of a sync inside them the caller's line is part of the
 * site, for each caller could forget it by itself.
 */
const isShared = ({ place, method }: Frame): boolean =>
  method === '#sync' ||
  /^src\/(?:env\/replace-file|log\/index-files|log\/producer-files)\./.test(place);

/** Files whose functions hand each call on as it is; no part of a site. */
const handsOn = ({ place }: Frame): boolean =>
  /^src\/(?:log\/patient-files|cli\/counted-files)\./.test(place);

const frameLine = /^ *at (?:async )?(?:(\S+) )?.*[/\\](src[/\\][\w/\\-]+\.ts):(\d+):\d+\)?$/gm;

/** Frames that decide, innermost first. */
const framesOf = (stack: string): Frame[] =>
  [...stack.matchAll(frameLine)]
    .map(([, name = '', file, line]) => ({
      place: `${file!.replaceAll('\\', '/')}:${line}`,
      method: name.slice(name.lastIndexOf('.') + 1),
    }))
    .filter((frame) => !handsOn(frame));

/** What is synced, without the names and numbers that differ from run to run. */
function subjectOf(kind: SyncKind, path: string, dataDirectory: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (kind === 'store') return 'metadata store';
  if (kind === 'file') return name.replace(/\d{20}/, '*');
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
  const own = frames.findIndex((frame) => !isShared(frame));
  const places = frames.slice(0, own === -1 ? undefined : own + 1).map(({ place }) => place);
  const ends = places.length > 2 ? [places[0], places.at(-1)] : places;
  return `${ends.join(' < ')} (${subjectOf(kind, path, dataDirectory)})`;
}
