import type { Env } from '../env/ports.ts';

/** What a client needs of the machine beside a transport. */
export type ClientEnv = Pick<Env, 'clock' | 'timers' | 'random'>;
