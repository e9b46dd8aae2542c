/** Thrown when an invariant of the program is broken: a bug, never bad input. Ends the process. */
export class AssertionError extends Error {
  override readonly name = 'AssertionError';
}

/**
 * States an invariant. Stays on in production. The message is constant text: a template literal
 * would be built on every call, also when nothing is wrong.
 */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}

/** Closes an exhaustive `switch`: the compiler proves it is never reached. */
export function unreachable(value: never): never {
  throw new AssertionError(`unreachable case ${JSON.stringify(value)}`);
}
