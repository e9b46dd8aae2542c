import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memoryEnv } from '../../../src/env/memory-env.ts';
import { nodeEnv } from '../../../src/env/node-env.ts';
import type { Env } from '../../../src/env/ports.ts';
import { simulatedEnv } from '../../simulation/env/simulated-env.ts';

/** One twin of the env and an empty folder in it. */
export interface Twin {
  readonly name: 'node' | 'memory' | 'simulated';
  /** Runs a script on a fresh machine and gives its outcome. */
  run<T>(script: (env: Env, folder: string) => Promise<T>): Promise<T>;
}

export const twins: readonly Twin[] = [
  {
    name: 'node',
    async run(script) {
      const folder = await mkdtemp(join(tmpdir(), 'varve-env-'));
      try {
        return await script(nodeEnv(), folder);
      } finally {
        await rm(folder, { recursive: true });
      }
    },
  },
  {
    name: 'memory',
    async run(script) {
      const env = memoryEnv();
      await env.files.makeDirectory('/data');
      return script(env, '/data');
    },
  },
  {
    name: 'simulated',
    async run(script) {
      const { env, scheduler } = simulatedEnv({ seed: 1 });
      await scheduler.complete(env.files.makeDirectory('/data'));
      return scheduler.complete(script(env, '/data'));
    },
  },
];
