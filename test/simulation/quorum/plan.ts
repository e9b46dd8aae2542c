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
const COMMANDS_PER_CLIENT = 72;

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
  const draw = (count: number, kinds: readonly PlannedFault['kind'][]): PlannedFault[] =>
    Array.from({ length: kinds.length === 0 ? 0 : count }, () => ({
      atMs: random.between(CALM_MS, stormMs),
      kind: random.pick(kinds),
      draw: random.uint32(),
    }));
  const faults = draw(random.between(26, 38), faultWheel(random, voters));
  const changes = draw(random.between(0, 14), wheel(random, CHANGE_KINDS, 0.6));
  return [...faults, ...changes].sort((a, b) => a.atMs - b.atMs);
}

/** Who is alone has no network. Enough of what can be done to anybody. */
function faultWheel(random: SimulatedRandom, voters: number): FaultKind[] {
  const isOfNetwork = (kind: FaultKind): boolean =>
    ['isolated', 'deaf', 'mute', 'cut link', 'halves', 'star'].includes(kind);
  const possible = FAULT_KINDS.filter((kind) => voters > 1 || !isOfNetwork(kind));
  const always: FaultKind[] = ['process crash', 'process crash', 'pause', 'pause'];
  return [...wheel(random, possible, 0.75), ...always];
}

/** Each kind is missing in some seeds, and frequent in others. */
const wheel = <Kind>(random: SimulatedRandom, kinds: readonly Kind[], likelihood: number) =>
  kinds.flatMap((kind) => {
    const weight = random.chance(likelihood) ? random.between(1, 4) : 0;
    return Array.from({ length: weight }, () => kind);
  });

function drawCommands(random: SimulatedRandom, stormMs: number): PlannedCommand[] {
  const kinds: readonly CommandKind[] = [
    ...['create', 'create', 'delete', 'delete', 'configure', 'configure', 'configure'],
    'configure',
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
