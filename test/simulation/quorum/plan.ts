import type { QuorumTiming, RaftLimits } from '../../../src/quorum/quorum-config.ts';
import { SimulatedRandom } from '../env/simulated-random.ts';

/** What a seed stands for: all that will be done, in advance, so that parts of it can be left out. */
export interface Plan {
  readonly seed: number;
  readonly shape: ClusterShape;
  /** In order of time. */
  readonly faults: readonly PlannedFault[];
  readonly commands: readonly PlannedCommand[];
}

export interface ClusterShape {
  /** The cluster is formed of these: 1 to so many. */
  readonly voters: number;
  readonly timing: QuorumTiming;
  readonly snapshotIntervalEntries: number;
  readonly limits: RaftLimits;
  /** By id of a node, from 1 on: how fast its clocks go. */
  readonly clockRates: readonly number[];
  readonly network: NetworkFaults;
  /** How long the faults last. */
  readonly stormMs: number;
}

/** Of a message. */
export interface NetworkFaults {
  readonly loss: number;
  readonly duplication: number;
  readonly lateness: number;
}

export const FAULT_KINDS = [
  'process crash',
  'power cut',
  'blackout',
  'crash in a sync',
  'crash in a start',
  'pause',
  'isolated',
  'deaf',
  'mute',
  'cut link',
  'halves',
  'star',
  'lossy network',
  'streams broken',
  'slow disk',
  'sync error',
  'wall clock jump',
  'wipe',
] as const;

/** What people do to a cluster while it works. */
export const CHANGE_KINDS = ['join', 'leave', 'leader leaves', 'transfer'] as const;

export type FaultKind = (typeof FAULT_KINDS)[number];
export type ChangeKind = (typeof CHANGE_KINDS)[number];

export interface PlannedFault {
  readonly atMs: number;
  readonly kind: FaultKind | ChangeKind;
  /** Everything else about it is drawn from this: it is the same whatever else is left out. */
  readonly draw: number;
}

export type CommandKind =
  | 'create'
  | 'delete'
  | 'configure'
  | 'allocate'
  | 'register'
  | 'read'
  | 'read elsewhere';

export interface PlannedCommand {
  /** Each does its commands one after another. */
  readonly client: number;
  readonly kind: CommandKind;
  /** Time between the answer before and this one. */
  readonly pauseMs: number;
  readonly draw: number;
}

export const CLIENTS = 5;
/** Most nodes that there are at a time. */
export const NODES_MAX = 7;
/** No fault comes before: the cluster has its first leader by then. */
const CALM_MS = 2_500;
const COMMANDS_PER_CLIENT = 70;

export function drawPlan(seed: number): Plan {
  const random = new SimulatedRandom(seed);
  const shape = drawShape(random.fork('shape'));
  return {
    seed,
    shape,
    faults: drawFaults(random.fork('faults'), shape),
    commands: drawCommands(random.fork('commands'), shape.stormMs),
  };
}

function drawShape(random: SimulatedRandom): ClusterShape {
  const rate = (most: number) => (random.chance(0.66) ? (random.below(100) / 100) * most : 0);
  const isSkewed = random.chance(0.7);
  return {
    voters: random.pick([1, 3, 3, 3, 3, 5, 5]),
    timing: {
      electionTimeoutMs: random.pick([600, 800, 1000]),
      heartbeatIntervalMs: random.pick([150, 200, 250]),
    },
    snapshotIntervalEntries: random.pick([8, 20, 60]),
    limits: {
      messageBytesMax: random.pick([200, 600, 4_000]),
      inFlightMessagesMax: random.pick([2, 8, 64]),
      entriesKept: random.pick([0, 4, 30]),
    },
    clockRates: Array.from({ length: NODES_MAX }, () =>
      isSkewed ? random.between(80, 125) / 100 : 1,
    ),
    network: { loss: rate(0.1), duplication: rate(0.1), lateness: rate(0.1) },
    stormMs: 50_000,
  };
}

function drawFaults(random: SimulatedRandom, { voters, stormMs }: ClusterShape): PlannedFault[] {
  const weights = drawWeights(random, voters);
  const wheel = [...weights].flatMap(([kind, weight]) =>
    Array.from({ length: weight }, () => kind),
  );
  return Array.from({ length: random.between(24, 44) }, () => ({
    atMs: random.between(CALM_MS, stormMs),
    kind: random.pick(wheel),
    draw: random.uint32(),
  })).sort((a, b) => a.atMs - b.atMs);
}

/** Each kind is missing in some seeds, and frequent in others. Who is alone has no network. */
function drawWeights(random: SimulatedRandom, voters: number): Map<PlannedFault['kind'], number> {
  const weights = new Map<PlannedFault['kind'], number>();
  for (const kind of FAULT_KINDS) {
    const isOfNetwork = ['isolated', 'deaf', 'mute', 'cut link', 'halves', 'star'].includes(kind);
    if (voters === 1 && isOfNetwork) continue;
    if (random.chance(0.75)) weights.set(kind, random.between(1, 4));
  }
  // Enough of what can always be done to anybody.
  weights.set('process crash', (weights.get('process crash') ?? 0) + 2);
  weights.set('pause', (weights.get('pause') ?? 0) + 2);
  for (const kind of CHANGE_KINDS) {
    if (random.chance(0.6)) weights.set(kind, random.between(1, 4));
  }
  return weights;
}

function drawCommands(random: SimulatedRandom, stormMs: number): PlannedCommand[] {
  const kinds: readonly CommandKind[] = [
    ...['create', 'create', 'delete', 'delete', 'configure', 'configure', 'configure'],
    ...['allocate', 'register', 'read', 'read', 'read elsewhere'],
  ] as CommandKind[];
  const mostMs = Math.floor((1.6 * stormMs) / COMMANDS_PER_CLIENT);
  return Array.from({ length: CLIENTS * COMMANDS_PER_CLIENT }, (_, at) => ({
    client: at % CLIENTS,
    kind: random.pick(kinds),
    pauseMs: random.chance(0.2) ? 0 : random.between(1, mostMs),
    draw: random.uint32(),
  }));
}
