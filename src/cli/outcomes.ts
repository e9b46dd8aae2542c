import type { Outcome } from '../client/main.ts';
import type { Output } from './output.ts';

/** What became of several things that were asked for at once: those that went well. */
export function successes<T>(outcomes: readonly Outcome<T>[]): Omit<T, 'error'>[] {
  return outcomes
    .filter(({ error }) => error === undefined)
    .map(({ error: _, ...result }) => result);
}

/**
 * Ends the command if anything did not go well: tells all errors but the last, and throws that one,
 * so that it is told, too, and gives the exit code.
 */
export function throwIfAnyFailed(outcomes: readonly Outcome<unknown>[], errors: Output): void {
  const failures = outcomes.map(({ error }) => error).filter((error) => error !== undefined);
  for (const { message } of failures.slice(0, -1)) errors.tell(`varve: ${message}\n`);
  const last = failures.at(-1);
  if (last !== undefined) throw last;
}
