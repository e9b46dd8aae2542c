import { type Import, importsOf, roomOf, type SourceFile } from './source-files.ts';

export interface Room {
  readonly floor: number;
  /** No I/O, clock, randomness or `await`. */
  readonly isPure: boolean;
}

const room = (floor: number): Room => ({ floor, isPure: false });
const pureRoom = (floor: number): Room => ({ floor, isPure: true });

/**
 * The rooms of `src/` and their floors. A room imports only from lower floors and from itself;
 * rooms on one floor do not know each other.
 */
export const floors: ReadonlyMap<string, Room> = new Map([
  ['model', pureRoom(0)],
  ['codec', room(1)],
  ['env', room(1)],
  ['config', room(1)],
  ['raft', pureRoom(1)],
  ['records', pureRoom(2)],
  ['telemetry', room(2)],
  ['log', room(3)],
  ['metadata', pureRoom(3)],
  ['rpc', room(3)],
  ['coordinator', room(3)],
  ['quorum', room(4)],
  ['replication', room(4)],
  ['client', room(4)],
  ['controller', room(5)],
  ['group', pureRoom(5)],
  ['broker', room(6)],
  ['grpc', room(7)],
  ['kafka', room(7)],
  ['server', room(8)],
  ['cli', room(9)],
  ['testing', room(9)],
]);

/** Which room a package may be imported by; a package that is not here may not be imported. */
export const packageRooms: ReadonlyMap<string, string> = new Map([
  ['@grpc/grpc-js', 'rpc'],
  ['@grpc/proto-loader', 'rpc'],
  ['@grpc/reflection', 'rpc'],
  ['grpc-health-check', 'rpc'],
  ['protobufjs', 'rpc'],
  ['level', 'env'],
  ['pino', 'telemetry'],
  ['@prometheus-io/client', 'telemetry'],
  ['yaml', 'config'],
  ['@node-rs/crc32', 'codec'],
  ['@platformatic/wasm-utils', 'codec'],
  ['commander', 'cli'],
]);

/** Modules of Node that compute and nothing else; pure rooms do without them too. */
const computingModules = [
  'node:buffer',
  'node:crypto',
  'node:path',
  'node:url',
  'node:util',
  'node:zlib',
];

/** Modules of Node that rooms outside `env/` may import beside the computing ones. */
export const nodeModules: ReadonlyMap<string, readonly string[]> = new Map([
  ['codec', ['node:module']],
  // For CommonJS packages, and for the host names that certificates carry.
  ['rpc', ['node:module', 'node:tls']],
  ['kafka', ['node:net', 'node:tls']],
  ['telemetry', ['node:module']],
  ['server', ['node:fs/promises', 'node:http', 'node:module', 'node:os', 'node:process']],
  [
    'cli',
    // A cluster for trying things out has processes of its own.
    [
      ...['node:child_process', 'node:fs/promises', 'node:module', 'node:process'],
      ...['node:readline', 'node:v8'],
    ],
  ],
  ['testing', ['node:fs/promises', 'node:os']],
]);

/** Imports that break the floors, lead out of `src/` or into no known room. */
export function checkFloors(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) => {
    const from = roomOf(file.path);
    const own = from === undefined ? undefined : floors.get(from);
    if (own === undefined) return [`${file.path} is in no room of the table of floors`];
    return importsOf(file)
      .filter((imported) => imported.isRelative)
      .flatMap(({ target }) => {
        const to = roomOf(target);
        if (to === from) return [];
        const other = to === undefined ? undefined : floors.get(to);
        if (other === undefined) return [`${file.path} imports ${target}, which is in no room`];
        if (other.floor < own.floor) return [];
        return [`${file.path} (floor ${own.floor}) imports ${target} (floor ${other.floor})`];
      });
  });
}

/** Packages and modules of Node imported by rooms that may not. */
export function checkPackages(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) =>
    importsOf(file)
      .filter((imported) => !imported.isRelative && !imported.isTypeOnly)
      .filter((imported) => !isAllowed(roomOf(file.path) ?? '', imported))
      .map(({ target }) => `${file.path} imports ${target}, which its room may not`),
  );
}

function isAllowed(from: string, { target }: Import): boolean {
  if (!target.startsWith('node:')) return packageRooms.get(packageOf(target)) === from;
  if (floors.get(from)?.isPure) return false;
  if (from === 'env' || computingModules.includes(target)) return true;
  return nodeModules.get(from)?.includes(target) ?? false;
}

/** `@scope/name` of `@scope/name/part/of/it`. */
const packageOf = (target: string): string =>
  target
    .split('/')
    .slice(0, target.startsWith('@') ? 2 : 1)
    .join('/');

/** One circle of imports for each file that is first met on one; types count too. */
export function checkCircles(files: readonly SourceFile[]): string[] {
  const graph = importGraph(files, () => true);
  const done = new Set<string>();
  const circles: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    const met = trail.indexOf(path);
    if (met >= 0) circles.push([...trail.slice(met), path].join(' → '));
    if (met >= 0 || done.has(path)) return;
    for (const target of graph.get(path) ?? []) visit(target, [...trail, path]);
    done.add(path);
  };
  for (const file of files) visit(file.path, []);
  return circles;
}

/** Packages and modules of Node that importing `entry` loads, directly or not. */
export function loadedPackages(files: readonly SourceFile[], entry: string): Set<string> {
  const graph = importGraph(files, ({ isTypeOnly, isLazy }) => !isTypeOnly && !isLazy);
  const reached = new Set([entry]);
  // A set hands out what is added to it during the walk.
  for (const path of reached) for (const target of graph.get(path) ?? []) reached.add(target);
  return new Set([...reached].filter((target) => !target.startsWith('src/')));
}

function importGraph(
  files: readonly SourceFile[],
  isWanted: (imported: Import) => boolean,
): Map<string, string[]> {
  return new Map(
    files.map((file) => [
      file.path,
      importsOf(file)
        .filter(isWanted)
        .map(({ target }) => target),
    ]),
  );
}
