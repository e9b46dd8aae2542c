import { parseArgs } from 'node:util';

export interface SimulationOptions {
  readonly firstSeed: number;
  readonly seeds: number;
  /** Power cuts after which no further seed is begun. */
  readonly cuts: number;
  readonly minutes: number;
  readonly lives: number;
  readonly dropSyncs: boolean;
  readonly crashStates: boolean;
  readonly aim: string | undefined;
  readonly drop: string | undefined;
}

export const USAGE = `npm run sim -- [options]
  --seed S        first seed (1)
  --seeds N       how many seeds (as many as the cuts take)
  --cuts N        power cuts after which no further seed is begun (500)
  --minutes M     minutes after which no further seed is begun
  --lives N       how often the broker is crashed or stopped in a seed (8)
  --drop-syncs    take each fsync out of the program, one at a time, until that is noticed
  --crash-states  open every state that a crash may leave of the logs and the metadata (10000 seeds)
  --drop SITE     take the fsyncs of one site out (as --drop-syncs prints it); with it, try that one alone
  --aim SITE      let more of the crashes come at that site
  --suite raft    the metadata quorum in place of the broker, with options of its own`;

/** @throws Error if an argument is unknown or not a number */
export function parseArguments(args: readonly string[]): SimulationOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: 'string' },
      seeds: { type: 'string' },
      cuts: { type: 'string' },
      minutes: { type: 'string' },
      lives: { type: 'string' },
      'drop-syncs': { type: 'boolean', default: false },
      'crash-states': { type: 'boolean', default: false },
      aim: { type: 'string' },
      drop: { type: 'string' },
    },
  });
  const number = (
    name: 'seed' | 'seeds' | 'cuts' | 'minutes' | 'lives',
    missing: number,
  ): number => {
    const text = values[name];
    if (text === undefined) return missing;
    const value = Number(text);
    if (Number.isFinite(value) && value > 0) return value;
    throw new Error(`--${name} is a number above 0, not ${text}`);
  };
  const isBounded = [values.seed, values.seeds, values.minutes].some((text) => text !== undefined);
  return {
    firstSeed: number('seed', 1),
    // A seed alone is to be run again.
    seeds: number('seeds', values.seed === undefined ? Number.POSITIVE_INFINITY : 1),
    cuts: number('cuts', isBounded ? Number.POSITIVE_INFINITY : 500),
    minutes: number('minutes', Number.POSITIVE_INFINITY),
    lives: number('lives', 8),
    dropSyncs: values['drop-syncs'],
    crashStates: values['crash-states'],
    aim: values.aim,
    drop: values.drop,
  };
}
