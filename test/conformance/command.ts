import { spawn } from 'node:child_process';
import { once } from 'node:events';

export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: { readonly [name: string]: string };
  readonly input?: string;
}

/** No command of a conformance run takes longer, downloads included. */
const LIMIT_MS = 300_000;

/** Runs a command to its end and returns what it printed; fails with its complaints if it fails. */
export async function execute(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const child = spawn(command, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: LIMIT_MS,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: { ...process.env, ...options.env },
  });
  // A command that ends early does not read its input; its exit code says what is wrong.
  child.stdin.on('error', () => {});
  child.stdin.end(options.input ?? '');
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  const printed = Buffer.concat(stdout).toString();
  if (code === 0) return printed;
  const line = `${command} ${args.join(' ')}`;
  throw new Error(`${line} ended with ${code ?? signal}:\n${printed}${Buffer.concat(stderr)}`);
}
