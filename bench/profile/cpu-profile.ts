/** What `node --cpu-prof` writes, as far as it is used here; times in µs on the monotonic clock. */
export interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  readonly startTime: number;
  /** The node that ran at each sample, by its id. */
  readonly samples: readonly number[];
  /** Before each sample, since the one before it or the start. */
  readonly timeDeltas: readonly number[];
}

export interface ProfileNode {
  readonly id: number;
  readonly callFrame: {
    readonly functionName: string;
    readonly url: string;
    /** From 0; -1 if there is none. */
    readonly lineNumber: number;
  };
  readonly children?: readonly number[];
}

/** A part of the time, in µs on the machine's monotonic clock. */
export interface Window {
  readonly fromUs: number;
  readonly toUs: number;
}

/** A function where it was called: the calls below it are its children. */
export interface Frame {
  readonly name: string;
  /** `src/log/log.ts:120`, or what else there is to say; empty for the engine's own. */
  readonly place: string;
  /** Time in this very function. */
  readonly selfUs: number;
  /** The same and the time of all it called. */
  readonly totalUs: number;
  readonly children: readonly Frame[];
}

/** What a thread did within a window. */
export interface Activity {
  /** All it did: neither idle nor collecting garbage is in it. */
  readonly root: Frame;
  readonly idleUs: number;
  readonly gcUs: number;
}

export interface FunctionTime {
  readonly name: string;
  readonly place: string;
  readonly selfUs: number;
  /** A function that calls itself is counted once. */
  readonly totalUs: number;
}

/** All time that a profile knows of. */
export function wholeOf({ startTime, timeDeltas }: CpuProfile): Window {
  return { fromUs: startTime, toUs: startTime + timeDeltas.reduce((sum, delta) => sum + delta, 0) };
}

/**
 * The time of each function within the windows. A sample stands for the time until the next one.
 * `root` is what paths of files are told from.
 */
export function activityOf(
  profile: CpuProfile,
  windows: readonly Window[],
  root: string,
): Activity {
  const selfUs = new Map<number, number>();
  let atUs = profile.startTime;
  for (const [i, node] of profile.samples.entries()) {
    atUs += profile.timeDeltas[i]!;
    const share = overlap({ fromUs: atUs, toUs: atUs + (profile.timeDeltas[i + 1] ?? 0) }, windows);
    if (share > 0) selfUs.set(node, (selfUs.get(node) ?? 0) + share);
  }
  const byId = new Map(profile.nodes.map((node) => [node.id, node]));
  const sumOf = (name: string) =>
    profile.nodes
      .filter(({ callFrame }) => callFrame.functionName === name)
      .reduce((sum, { id }) => sum + (selfUs.get(id) ?? 0), 0);
  const build = ({ id, callFrame, children = [] }: ProfileNode): Frame => {
    const frames = children.map((child) => build(byId.get(child)!)).filter(isSeen);
    const own = selfUs.get(id) ?? 0;
    return {
      name: callFrame.functionName || '(anonymous)',
      place: placeOf(callFrame, root),
      selfUs: own,
      totalUs: frames.reduce((sum, frame) => sum + frame.totalUs, own),
      children: frames,
    };
  };
  const top = profile.nodes[0];
  if (top === undefined) throw new Error('the profile holds no function');
  return { root: build(top), idleUs: sumOf('(idle)'), gcUs: sumOf(GC) };
}

const GC = '(garbage collector)';
const isSeen = ({ name, totalUs }: Frame): boolean =>
  totalUs > 0 && name !== '(idle)' && name !== GC;

function overlap({ fromUs, toUs }: Window, windows: readonly Window[]): number {
  return windows.reduce(
    (sum, window) =>
      sum + Math.max(0, Math.min(toUs, window.toUs) - Math.max(fromUs, window.fromUs)),
    0,
  );
}

/** Functions by their time, wherever they were called from; in no order. */
export function functionTimes(root: Frame): FunctionTime[] {
  const times = new Map<string, { name: string; place: string; selfUs: number; totalUs: number }>();
  const onStack = new Set<string>();
  const walk = ({ name, place, selfUs, totalUs, children }: Frame): void => {
    const key = `${name} ${place}`;
    const time = times.get(key) ?? { name, place, selfUs: 0, totalUs: 0 };
    times.set(key, time);
    time.selfUs += selfUs;
    const isOutermost = !onStack.has(key);
    if (isOutermost) {
      time.totalUs += totalUs;
      onStack.add(key);
    }
    for (const child of children) walk(child);
    if (isOutermost) onStack.delete(key);
  };
  for (const frame of root.children) walk(frame);
  return [...times.values()];
}

function placeOf({ url, lineNumber }: ProfileNode['callFrame'], root: string): string {
  if (url === '') return '';
  const path = url.replace(/^file:\/\//, '');
  const inPackage = path.lastIndexOf('node_modules/');
  const start = path.startsWith(root) ? root.length : 0;
  const shown = inPackage < 0 ? path.slice(start) : path.slice(inPackage + 'node_modules/'.length);
  return `${shown.replace(/^\//, '')}:${lineNumber + 1}`;
}
