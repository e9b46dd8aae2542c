/**
 * One life of a process, from its start to its crash. What reaches the process (an answer of the
 * disk, a timer, a message) goes through `deliver`, so that nothing of it runs after its death.
 */
export class Incarnation {
  #isAlive = true;

  get isAlive(): boolean {
    return this.#isAlive;
  }

  /** Nothing is delivered any more; what is under way never settles. */
  kill(): void {
    this.#isAlive = false;
  }

  deliver(fn: () => void): void {
    if (this.#isAlive) fn();
  }
}
