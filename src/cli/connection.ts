import type { Client, ClientTls } from '../client/main.ts';
import type { FileSystem } from '../env/ports.ts';
import type { CommandContext } from './command-context.ts';
import { CommandError, ExitCode } from './exit-code.ts';
import { brokerList } from './option-values.ts';

/** The options of every command that talks to a broker. */
export interface ConnectionOptions {
  readonly brokers?: readonly string[];
  readonly tlsCa?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
}

export const DEFAULT_BROKERS = '127.0.0.1:9095';
/** The variable that gives the brokers when no option does. */
export const BROKERS_VARIABLE = 'VARVE_BROKERS';

/** Connects, does the work and closes the connection, whatever becomes of the work. */
export async function withClient(
  context: CommandContext,
  options: ConnectionOptions,
  work: (client: Client) => Promise<void>,
): Promise<void> {
  const brokers = options.brokers ?? brokersOfVariable(context.variables[BROKERS_VARIABLE]);
  const tls = await readTlsFiles(options, context.env.files);
  const client = await context.connect({
    brokers,
    signal: context.signal,
    ...(tls === undefined ? {} : { tls }),
  });
  try {
    await work(client);
  } finally {
    await client.close();
  }
}

function brokersOfVariable(text: string | undefined): readonly string[] {
  try {
    return brokerList(text === undefined || text === '' ? DEFAULT_BROKERS : text);
  } catch (error) {
    throw new CommandError(ExitCode.usage, `${BROKERS_VARIABLE}: ${(error as Error).message}`);
  }
}

async function readTlsFiles(
  { tlsCa, tlsCert, tlsKey }: ConnectionOptions,
  files: FileSystem,
): Promise<ClientTls | undefined> {
  if ((tlsCert === undefined) !== (tlsKey === undefined)) {
    throw new CommandError(ExitCode.usage, '--tls-cert and --tls-key go together, give both');
  }
  if (tlsCa === undefined && tlsCert === undefined) return undefined;
  const read = async (path: string | undefined): Promise<Uint8Array | undefined> =>
    path === undefined ? undefined : await files.readFile(path);
  const [ca, cert, key] = await Promise.all([read(tlsCa), read(tlsCert), read(tlsKey)]);
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
}
