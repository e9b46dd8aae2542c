import { AssertionError } from '../model/assert.ts';
import type { Logger } from './logger.ts';
import type { Metrics } from './metrics.ts';

/**
 * Starts work that nobody waits for. `name` is constant text that says what the work is. A failure
 * is logged and counted under the name, never lost.
 */
export type Background = (name: string, work: Promise<unknown>) => void;

/**
 * A `Background` that reports to `logger` and `metrics`. A broken invariant is reported too, and
 * then ends the process as an unhandled rejection (DESIGN D14).
 */
export function makeBackground(logger: Logger, metrics: Metrics): Background {
  const failures = metrics.counter(
    'varve_background_failures_total',
    'Failures of work that nothing waited for, by what it was.',
    ['work'],
  );
  return (name, work) => {
    void work.catch((err: unknown) => {
      failures.labels(name).add(1);
      logger.error({ err, work: name }, 'background work failed');
      if (err instanceof AssertionError) throw err;
    });
  };
}
