import { nodeEnv } from '../env/node-env.ts';
import type { CommandContext } from './command-context.ts';
import { watchInterrupts } from './interrupts.ts';
import { Output } from './output.ts';
import { runCommandLine } from './run.ts';

/** Runs the command line of this process; its exit code is set when the promise resolves. */
export async function runProcess(): Promise<void> {
  const env = nodeEnv();
  const context: CommandContext = {
    // Opened when a command reads it: a stream that is open keeps the process.
    get input() {
      return process.stdin;
    },
    output: new Output(process.stdout),
    errors: new Output(process.stderr),
    variables: process.env,
    env,
    signal: watchInterrupts(process, env.clock, (exitCode) => process.exit(exitCode)),
    connect: async (options) => {
      const { connect } = await import('../client/main.ts');
      return await connect(options);
    },
    startServer: async (options) => {
      const { startServer } = await import('../server/main.ts');
      return await startServer(options);
    },
    spawnNode: async (args, onLog) => {
      const { spawnNode } = await import('./spawn-node.ts');
      return spawnNode(args, onLog);
    },
  };
  // Neither the timers of `env` nor a promise keep a process, so one that waits for a broker to come
  // back would just end, with exit code 0. An open port does.
  const { port1 } = new MessageChannel();
  port1.ref();
  process.exitCode = await runCommandLine(process.argv.slice(2), context);
  port1.close();
}
