import type { Clock } from '../env/ports.ts';
import { Interrupted, type InterruptSignal, interruptSignals } from './exit-code.ts';

/** The part of `process` that is needed to hear signals. */
export interface SignalSource {
  on(signal: InterruptSignal, listener: (signal: InterruptSignal) => void): unknown;
}

/**
 * A signal that comes again so soon is the same one: under `npm start` a Ctrl-C reaches us from the
 * terminal and, a moment later, from npm, which passes it on.
 */
const SAME_MS = 250;

/**
 * The first SIGINT or SIGTERM asks for an end in order: the returned signal fires with `Interrupted`.
 * A later SIGINT does not wait for that: `endNow` is called with the exit code.
 */
export function watchInterrupts(
  source: SignalSource,
  clock: Clock,
  endNow: (exitCode: number) => void,
): AbortSignal {
  const controller = new AbortController();
  let firstMs = 0;
  const hear = (name: InterruptSignal): void => {
    const nowMs = clock.monotonicMs();
    const interrupted = new Interrupted(name);
    if (!controller.signal.aborted) {
      firstMs = nowMs;
      controller.abort(interrupted);
    } else if (name === 'SIGINT' && nowMs - firstMs >= SAME_MS) {
      endNow(interrupted.exitCode);
    }
  };
  for (const name of Object.keys(interruptSignals) as InterruptSignal[]) source.on(name, hear);
  return controller.signal;
}
