import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { NodeProcess } from './command-context.ts';

/** Runs this very program with other arguments; what it logs is told line by line. */
export function spawnNode(args: readonly string[], onLog: (line: string) => void): NodeProcess {
  const program = [...process.execArgv, process.argv[1]!, ...args];
  const child = spawn(process.execPath, program, { stdio: ['ignore', 'pipe', 'pipe'] });
  const ready = Promise.withResolvers<boolean>();
  const ended = Promise.withResolvers<number | string>();
  createInterface({ input: child.stdout }).on('line', () => ready.resolve(true));
  createInterface({ input: child.stderr }).on('line', onLog);
  const end = (how: number | string): void => {
    ready.resolve(false);
    ended.resolve(how);
  };
  child.on('error', (error) => {
    onLog(error.message);
    end(1);
  });
  child.on('close', (code, signal) => end(code ?? signal ?? 1));
  return { ready: ready.promise, ended: ended.promise, stop: () => void child.kill('SIGTERM') };
}
