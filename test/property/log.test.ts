import { describe, it } from 'vitest';
import { LogRun } from '../unit/log/log-run.ts';

describe('a log', () => {
  const seeds = Number(process.env['LOG_SEEDS'] ?? 200);
  const first = Number(process.env['LOG_SEED'] ?? 1);

  it('keeps what it flushed through restarts, crashes and power cuts', async () => {
    const did = new Map<string, number>();
    for (let seed = first; seed < first + seeds; seed++) {
      const run = new LogRun(seed);
      try {
        await run.go(60);
      } catch (error) {
        throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error });
      }
      for (const [what, count] of run.did) did.set(what, (did.get(what) ?? 0) + count);
    }
    if (process.env['LOG_STATS']) console.log(Object.fromEntries(did));
  });
});
