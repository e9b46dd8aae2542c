import { NodeClock } from './node-clock.ts';
import { NodeFiles } from './node-files.ts';
import { NodeRandom } from './node-random.ts';
import { NodeStores } from './node-stores.ts';
import { NodeTimers } from './node-timers.ts';
import type { Env } from './ports.ts';

/** The machine as it is. */
export function nodeEnv(): Env {
  const files = new NodeFiles();
  return {
    clock: new NodeClock(),
    timers: new NodeTimers({ keepProcess: false }),
    random: new NodeRandom(),
    files,
    stores: new NodeStores(files),
  };
}
