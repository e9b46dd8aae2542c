import type { Clock } from './ports.ts';

/** The clocks of the machine. */
export class NodeClock implements Clock {
  monotonicMs(): number {
    return performance.now();
  }

  wallMs(): number {
    return Date.now();
  }
}
