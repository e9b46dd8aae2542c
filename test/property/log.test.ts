import { describe, expect, it } from 'vitest';
import { firstSeed } from '../support/property-seed.ts';
import { LogRun } from '../unit/log/log-run.ts';

/** What a run of this many seeds must have done, else it proves nothing. */
const deeds = [
  ...['append', 'repeat', 'read', 'delete', 'retain', 'truncate', 'clean', 'power', 'process'],
  ...['crash in delete', 'crash in retain', 'crash in truncate', 'crash in close', 'crash in roll'],
  ...['crash in recovery', 'find', 'skip', 'send again'],
];

describe('a log', () => {
  const seeds = Number(process.env['LOG_SEEDS'] ?? 200);
  const first = Number(process.env['LOG_SEED'] ?? firstSeed);

  it('keeps what it flushed through restarts, crashes and power cuts', {
    tags: ['slow'],
  }, async () => {
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
    for (const deed of deeds) expect(did.get(deed) ?? 0).toBeGreaterThanOrEqual(seeds / 4);
  });
});
