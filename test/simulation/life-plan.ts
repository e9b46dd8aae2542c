import type { SimulatedRandom } from './env/simulated-random.ts';
import { drawLifeFault, type LifeFault } from './life-fault.ts';
import type { SyncTrigger } from './sync-watch.ts';

/** How a process ends. */
export type LifeEnd = 'power cut' | 'process crash' | 'clean stop';

/** How one life of the broker goes, drawn from the seed. */
export interface LifePlan {
  readonly end: LifeEnd;
  /**
   * From when on the end is due: from its very start, so that it comes during recovery; after so many
   * acknowledgements; or from when a clean stop is begun, which then is not finished.
   */
  readonly from: 'start' | 'stop' | { readonly acknowledgements: number };
  /** The end comes after this sync has begun, `delayMs` later. */
  readonly trigger: SyncTrigger;
  readonly delayMs: number;
  /** Comes in the place of the end, which then follows after `pauseMs`. */
  readonly fault: LifeFault | undefined;
  /** After so long it comes without the sync. */
  readonly patienceMs: number;
  /** How long the machine is off, or the process not there. */
  readonly pauseMs: number;
  /** The power fails while the process is not there. */
  readonly cutsWhileDown: boolean;
}

/** How many of the lives that crash meet a fault of the disk before. */
const FAULTY_LIVES = 0.2;

/** Most syncs that a start waits for before it is cut down. */
const START_SYNCS = 30;

/** Syncs that the making of a partition consists of, about. */
const NEW_FOLDER_SYNCS = 5;

export interface PlanContext {
  /** Sync sites that were reached before. */
  readonly sites: readonly string[];
  /** One of them at which crashes are to be aimed more often. */
  readonly aim: string | undefined;
  readonly withPowerCuts: boolean;
  /** The process died; what it left in the page cache alone is what the next one finds. */
  readonly followsProcessCrash: boolean;
}

/**
 * Draws a plan. A crash is aimed at a sync, since that is where what is durable changes: at each site
 * with the same likelihood, however rare it is.
 */
export function drawLifePlan(random: SimulatedRandom, context: PlanContext): LifePlan {
  const { aim, sites, withPowerCuts } = context;
  const end = drawEnd(random, context);
  const from = drawBeginning(random, end, context);
  const triggers: SyncTrigger[] = [
    { count: random.between(1, START_SYNCS) },
    { countInNewFolder: random.between(1, NEW_FOLDER_SYNCS) },
    { countInNewFolder: random.between(1, NEW_FOLDER_SYNCS) },
  ];
  if (sites.length > 0) triggers.push({ site: random.pick(sites) }, { site: random.pick(sites) });
  if (aim !== undefined) triggers.push({ site: aim }, { site: aim }, { site: aim });
  return {
    end,
    from,
    trigger: random.pick(triggers),
    delayMs: random.below(random.pick([300, 3000, 10_000, 300_000])) / 1000,
    fault: end !== 'clean stop' && random.chance(FAULTY_LIVES) ? drawLifeFault(random) : undefined,
    patienceMs: random.pick([20, 300, 1000]),
    pauseMs: random.pick([1, 50, 500]),
    cutsWhileDown: withPowerCuts && end !== 'power cut' && random.chance(0.3),
  };
}

/** A power cut soon after a process crash tries what the dead process had not synced. */
function drawEnd(
  random: SimulatedRandom,
  { withPowerCuts, followsProcessCrash }: PlanContext,
): LifeEnd {
  const draw = random.below(10);
  if (draw < (followsProcessCrash ? 1 : 2)) return 'clean stop';
  return draw < (followsProcessCrash ? 3 : 5) || !withPowerCuts ? 'process crash' : 'power cut';
}

function drawBeginning(
  random: SimulatedRandom,
  end: LifeEnd,
  { sites, followsProcessCrash }: PlanContext,
): LifePlan['from'] {
  if (end !== 'clean stop') {
    const isSensitive = sites.length === 0 || followsProcessCrash;
    if (random.chance(isSensitive ? 0.5 : 0.25)) return 'start';
    if (random.chance(0.15)) return 'stop';
  }
  const counts = followsProcessCrash ? [1, 10, 30] : [1, 10, 30, 60, 120];
  return { acknowledgements: random.pick(counts) };
}
