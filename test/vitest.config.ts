import { defineConfig } from 'vitest/config';

/** One project a kind of test (DESIGN 5), so that `npm run ok` can pick the fast ones. */
const project = (
  name: string,
  include: string[],
  testTimeout = 30_000,
  setupFiles: string[] = [],
) => ({
  extends: true as const,
  test: { name, include, testTimeout, hookTimeout: testTimeout, setupFiles },
});

/** Where `.ci/run` wants the counts. */
const results = process.env['VARVE_TEST_RESULTS'];

export default defineConfig({
  test: {
    reporters: results === undefined ? ['default'] : ['default', ['json', { outputFile: results }]],
    pool: 'forks',
    projects: [
      project('tidy', ['test/tidy/**/*.test.ts']),
      project('unit', ['test/unit/**/*.test.ts']),
      project('transcript', ['test/transcript/**/*.test.ts']),
      project('property', ['test/property/**/*.test.ts'], 60_000, [
        'test/support/property-seed.ts',
      ]),
      project('fuzz', ['test/fuzz/**/*.test.ts'], 60_000),
      project('smoke', ['test/simulation/**/*.smoke.test.ts'], 60_000),
      project('simulation', ['test/simulation/**/*.sim.test.ts'], 300_000),
      project('integration', ['test/integration/**/*.test.ts'], 300_000),
    ],
  },
});
