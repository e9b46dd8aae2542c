import type { Env, File } from '../../../src/env/ports.ts';
import { type SimulatedMachine, simulatedEnv } from '../../simulation/env/simulated-env.ts';

export const SEEDS = 200;

export interface Run {
  readonly machine: SimulatedMachine;
  readonly env: Env;
}

/**
 * Runs a script on a fresh machine under each of many seeds, crashes it, and gives what `look` sees
 * in the next process: each different outcome with how often it came.
 */
export async function outcomes<T>(
  script: (run: Run) => Promise<void>,
  crash: 'process' | 'power',
  look: (env: Env, seed: number) => Promise<T>,
): Promise<Map<T, number>> {
  const counts = new Map<T, number>();
  for (let seed = 0; seed < SEEDS; seed++) {
    const machine = simulatedEnv({ seed });
    await machine.scheduler.complete(script({ machine, env: machine.env }));
    machine.crash(crash);
    const seen = await machine.scheduler.complete(look(machine.restart(), seed));
    counts.set(seen, (counts.get(seen) ?? 0) + 1);
  }
  return counts;
}

export const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));

/** A file that is durable with its name, and open. */
export async function durableFile(env: Env, path: string, content: Uint8Array): Promise<File> {
  const file = await env.files.open(path, 'create');
  await file.write(0, [content]);
  await file.sync();
  await env.files.syncDirectory('/');
  return file;
}

/** The text of a file, or `gone`. */
export async function textOf(env: Env, path: string): Promise<string> {
  if ((await env.files.stat(path)) === undefined) return 'gone';
  return Buffer.from(await env.files.readFile(path)).toString();
}
