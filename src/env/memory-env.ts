import { FileTree } from './file-tree.ts';
import { MemoryFiles } from './memory-files.ts';
import { MemoryStores } from './memory-stores.ts';
import { NodeClock } from './node-clock.ts';
import { NodeRandom } from './node-random.ts';
import { NodeTimers } from './node-timers.ts';
import type { Env } from './ports.ts';

/**
 * Real time and chance, an empty disk in memory: a broker inside a test. Only the root folder is
 * there. A second call gives another disk; who restarts a broker keeps the env.
 */
export function memoryEnv(): Env {
  const clock = new NodeClock();
  const tree = new FileTree();
  return {
    clock,
    timers: new NodeTimers({ keepProcess: false }),
    random: new NodeRandom(),
    files: new MemoryFiles(clock, tree),
    stores: new MemoryStores(clock, tree),
  };
}
