import type { ErrorName, ErrorRow } from '../model/errors.ts';
import { Errors } from '../model/errors.ts';

/** Why one item of a request is not done; the others are not touched by it. */
export interface Refusal {
  readonly row: ErrorRow;
  /** What exactly is wrong, with the value and what would be right. */
  readonly detail: string;
}

export const refuse = (name: ErrorName, detail: string): Refusal => ({ row: Errors[name], detail });

/** The names that stand more than once in a request; which one was meant cannot be told. */
export function repeatedNames(items: readonly { readonly name: string }[]): ReadonlySet<string> {
  const seen = new Set<string>();
  const repeated = new Set<string>();
  for (const { name } of items) {
    if (seen.has(name)) repeated.add(name);
    seen.add(name);
  }
  return repeated;
}
