import type { Readable } from 'node:stream';
import type { Client, ConnectOptions } from '../client/main.ts';
import type { Env } from '../env/ports.ts';
import type { RunningServer, StartServerOptions } from '../server/main.ts';
import type { Output } from './output.ts';

/** All that a command has of its process and of the program; tests give their own. */
export interface CommandContext {
  readonly input: Readable;
  /** What the command was asked for, and nothing else. */
  readonly output: Output;
  /** Errors, progress and logs. */
  readonly errors: Output;
  /** The environment variables. */
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly env: Env;
  /** Fires with an `Interrupted` at the first SIGINT or SIGTERM: the command is to end in order. */
  readonly signal: AbortSignal;
  /** `connect` of the client library, loaded when it is called. */
  connect(options: ConnectOptions): Promise<Client>;
  /** Starts a node as the server's entry does, loaded when it is called. */
  startServer(options: StartServerOptions): Promise<RunningServer>;
  /** Runs `varve` with these arguments, those of `start --json`, as a process of its own; loaded when it is called. */
  spawnNode(args: readonly string[], onLog: (line: string) => void): Promise<NodeProcess>;
}

/** A node that runs in a process of its own. */
export interface NodeProcess {
  /** True when it serves, false if it ends before. */
  readonly ready: Promise<boolean>;
  /** Its exit code, or the name of the signal that ended it. */
  readonly ended: Promise<number | string>;
  /** Asks it to stop in order. */
  stop(): void;
}
