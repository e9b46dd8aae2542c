import { defineConfig } from 'vitest/config';

interface Kind {
  readonly timeoutMs?: number;
  readonly setupFiles?: string[];
  /** Whether each file has a process of its own, whose memory and handles it looks at. */
  readonly isAlone?: boolean;
}

/**
 * One project a kind of test (DESIGN 5). Within a kind, what takes seconds has the tag `slow`: `npm run ok`
 * leaves that out, `npm test` leaves nothing out.
 *
 * The files of a project share processes, for to load the sources anew takes longer than most tests do: what
 * a file changes for all, it puts back.
 */
const project = (name: string, include: string, kind: Kind = {}) => {
  const { timeoutMs = 30_000, setupFiles = [], isAlone = false } = kind;
  const timeouts = { testTimeout: timeoutMs, hookTimeout: timeoutMs };
  return {
    extends: true as const,
    test: { name, include: [include], ...timeouts, setupFiles, isolate: isAlone },
  };
};

/** Where `.ci/run` wants the counts. */
const results = process.env['VARVE_TEST_RESULTS'];

export default defineConfig({
  test: {
    reporters: results === undefined ? ['default'] : ['default', ['json', { outputFile: results }]],
    pool: 'forks',
    // What is waited for comes at once, but not on a machine that is busy with other things.
    expect: { poll: { timeout: 20_000 } },
    // By default a processor is left to others: of two, half of all.
    maxWorkers: '100%',
    tags: [{ name: 'slow', description: 'takes seconds, and is no part of `npm run ok`' }],
    projects: [
      project('tidy', 'test/tidy/**/*.test.ts'),
      project('unit', 'test/unit/**/*.test.ts'),
      project('transcript', 'test/transcript/**/*.test.ts'),
      project('property', 'test/property/**/*.test.ts', {
        timeoutMs: 60_000,
        setupFiles: ['test/support/property-seed.ts'],
      }),
      project('fuzz', 'test/fuzz/**/*.test.ts', { timeoutMs: 60_000, isAlone: true }),
      project('smoke', 'test/simulation/**/*.smoke.test.ts', { timeoutMs: 60_000 }),
      project('simulation', 'test/simulation/**/*.sim.test.ts', { timeoutMs: 300_000 }),
      project('integration', 'test/integration/**/*.test.ts', {
        timeoutMs: 300_000,
        isAlone: true,
      }),
    ],
  },
});
