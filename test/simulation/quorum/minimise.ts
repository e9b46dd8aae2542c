import type { Plan } from './plan.ts';

/** Whether a plan still shows what the whole one did. */
export type StillFails = (plan: Plan) => Promise<boolean>;

/** A plan of which no part can be left out, as far as so many runs tell. */
export async function minimise(plan: Plan, runs: number, fails: StillFails): Promise<Plan> {
  const half = Math.floor(runs / 2);
  const faults = await withoutNeedless(plan.faults, half, (left) =>
    fails({ ...plan, faults: left }),
  );
  const commands = await withoutNeedless(plan.commands, half, (left) =>
    fails({ ...plan, faults, commands: left }),
  );
  return { ...plan, faults, commands };
}

/** Leaves parts out that are ever smaller (Zeller and Hildebrandt, "Simplifying and isolating", 2002). */
async function withoutNeedless<T>(
  all: readonly T[],
  runs: number,
  fails: (left: readonly T[]) => Promise<boolean>,
): Promise<readonly T[]> {
  let left = all;
  let size = left.length;
  for (let run = 0; run < runs && size > 0; ) {
    let isSmaller = false;
    for (let at = 0; at < left.length && run < runs; run++) {
      const without = left.toSpliced(at, size);
      if (await fails(without)) {
        left = without;
        isSmaller = true;
      } else {
        at += size;
      }
    }
    if (left.length === 0) break;
    if (!isSmaller || size > 1) size = size > 1 ? Math.ceil(size / 2) : 0;
  }
  return left;
}
