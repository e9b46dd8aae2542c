import { defineConfig } from 'vitest/config';

/**
 * One project a kind of test (DESIGN 5). Within a kind, what takes seconds has the tag `slow`: `npm run ok`
 * leaves that out, `npm test` leaves nothing out.
 *
 * The files of a project share processes, for to load the sources anew takes longer than most tests do: what
 * a file changes for all, it puts back.
 */
const project = (name: string, include: string, setupFiles: string[] = []) => ({
  extends: true as const,
  test: { name, include: [include], setupFiles, isolate: false },
});

/** Each file has a process of its own, whose memory and handles it looks at. */
const alone = (name: string, include: string) => ({
  extends: true as const,
  test: { name, include: [include], isolate: true },
});

/** Much more than a test takes: other work may share the machine. */
const PATIENCE_MS = 180_000;

/** Where `.ci/run` wants the counts. */
const results = process.env['VARVE_TEST_RESULTS'];

export default defineConfig({
  test: {
    reporters: results === undefined ? ['default'] : ['default', ['json', { outputFile: results }]],
    pool: 'forks',
    testTimeout: PATIENCE_MS,
    hookTimeout: PATIENCE_MS,
    // What is asked for again and again comes at once, if the machine has time for it.
    expect: { poll: { timeout: 60_000 } },
    // By default a processor is left to others: of two, half of all.
    maxWorkers: '100%',
    tags: [{ name: 'slow', description: 'takes seconds, and is no part of `npm run ok`' }],
    projects: [
      project('tidy', 'test/tidy/**/*.test.ts'),
      project('unit', 'test/unit/**/*.test.ts'),
      project('transcript', 'test/transcript/**/*.test.ts'),
      project('property', 'test/property/**/*.test.ts', ['test/support/property-seed.ts']),
      alone('fuzz', 'test/fuzz/**/*.test.ts'),
      project('smoke', 'test/simulation/**/*.smoke.test.ts'),
      project('simulation', 'test/simulation/**/*.sim.test.ts'),
      alone('integration', 'test/integration/**/*.test.ts'),
    ],
  },
});
