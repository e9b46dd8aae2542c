import { type Violation, violationsOf } from './checkers/all.ts';
import type { History } from './history.ts';
import { Workload } from './workload.ts';
import { BrokenError, World, type WorldSettings } from './world.ts';

export interface SeedSettings extends WorldSettings {
  /** How often the broker is crashed or stopped. */
  readonly lives: number;
}

export interface SeedResult {
  readonly seed: number;
  readonly violations: readonly Violation[];
  readonly history: History;
  /** Equal for equal seeds. */
  readonly traceHash: string;
  readonly virtualMs: number;
  /** Sync sites that were reached, with how often. */
  readonly sites: ReadonlyMap<string, number>;
  readonly droppedSyncs: number;
}

/** Runs the broker and its users under one seed, and lets all checkers judge what happened. */
export async function runSeed(settings: SeedSettings): Promise<SeedResult> {
  const world = new World(settings);
  const workload = new Workload(world.scene);
  const { history, scheduler, syncs } = world;
  const failures: Violation[] = [];
  const onRejection = (error: unknown): void => {
    failures.push({ checker: 'unhandled rejection', problem: textOf(error) });
  };
  process.on('unhandledRejection', onRejection);
  try {
    await play(world, workload, settings.lives);
  } catch (error) {
    // What is broken is in the history.
    if (!(error instanceof BrokenError)) {
      const busy = workload.busy.join(', ');
      failures.push({ checker: 'progress', problem: `${textOf(error)}; busy: ${busy}` });
    }
  } finally {
    process.off('unhandledRejection', onRejection);
  }
  return {
    seed: settings.seed,
    violations: [...violationsOf(history), ...failures],
    history,
    traceHash: `${scheduler.traceHash.toString(16)}-${hashOf(history).toString(16)}`,
    virtualMs: scheduler.nowMs,
    sites: syncs.counts,
    droppedSyncs: syncs.dropped,
  };
}

async function play(world: World, workload: Workload, lives: number): Promise<void> {
  let failure: unknown;
  const running = workload.run().catch((error: unknown) => {
    failure = error;
  });
  await world.crashes(lives);
  await world.heal(async () => {
    world.endLoad();
    await running;
  });
  if (failure !== undefined) throw failure;
  // In a life of its own, which has nothing in memory.
  await world.heal(() => workload.readAll());
  await world.inspect(workload.folders, workload.leastBytes);
}

function hashOf({ sends, reads, marks }: History): number {
  let hash = 0x811c_9dc5;
  const mix = (value: number): void => {
    hash = Math.imul(hash ^ value, 0x0100_0193) >>> 0;
  };
  for (const { outcome, partition, offset } of sends) {
    mix(outcome.length);
    mix(partition);
    mix(offset);
  }
  for (const { sendId, offset } of reads) {
    mix(sendId);
    mix(offset);
  }
  for (const { offset } of marks) mix(offset);
  return hash;
}

const textOf = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message) : String(error);
