import { FileError } from './ports.ts';

/**
 * Guards a file descriptor. The operating system gives the number of a closed file to the next one
 * that is opened, so an operation that outlived `close` would read or write another file: `close`
 * waits for the operations that have begun, and later ones fail with `EBADF`.
 */
export class OpenHandle {
  readonly #path: string;
  #inFlight = 0;
  #onIdle: (() => void) | undefined;
  #closed: Promise<void> | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  async use<T>(action: string, run: () => Promise<T>): Promise<T> {
    if (this.#closed !== undefined) throw new FileError('EBADF', this.#path, action);
    this.#inFlight++;
    try {
      return await run();
    } finally {
      this.#inFlight--;
      if (this.#inFlight === 0) this.#onIdle?.();
    }
  }

  /** Calls `release` once, when nothing is under way any more; later calls share its outcome. */
  close(release: () => Promise<void>): Promise<void> {
    this.#closed ??= this.#whenIdle().then(release);
    return this.#closed;
  }

  #whenIdle(): Promise<void> {
    if (this.#inFlight === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onIdle = resolve;
    });
  }
}
