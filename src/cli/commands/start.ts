import { resolve } from 'node:path';
import { type GivenSetting, parseSettings, settingKeys } from '../../config/parse-settings.ts';
import { SettingError } from '../../config/setting.ts';
import { type CollectedSettings, collectSettings } from '../../config/sources.ts';
import type { FileSystem } from '../../env/ports.ts';
import { topicLogDefaultSettings } from '../../log/topic-config.ts';
import { allSettings } from '../../server/all-settings.ts';
import type { RunningServer } from '../../server/main.ts';
import { SERVER_VERSION } from '../../server/version.ts';
import { pinoLogger } from '../../telemetry/pino-logger.ts';
import type { CommandContext } from '../command-context.ts';
import { CommandError, ExitCode } from '../exit-code.ts';
import { OutputClosedError } from '../output.ts';

export interface StartCommandOptions {
  readonly dataDir: string;
  readonly grpc?: string;
  readonly kafka?: string;
  readonly http?: string;
  readonly config?: string;
  readonly set?: readonly string[];
  readonly insecure?: boolean;
  readonly nodeId?: number;
  readonly voters?: string;
  readonly peer?: string;
  readonly rack?: string;
  readonly json?: boolean;
}

/** `varve start`: a broker that runs until the signal of the context fires, and then stops in order. */
export async function start(options: StartCommandOptions, context: CommandContext): Promise<void> {
  const { errors, signal } = context;
  const logger = pinoLogger({ level: 'info', destination: { write: (line) => errors.tell(line) } });
  const { given, warnings } = await orBadConfig(readSettings(options, context));
  for (const warning of warnings) logger.warn({ warning }, 'a variable is ignored');
  const { dataDir } = options;
  const server = await orBadConfig(
    context.startServer({ dataDir, settings: given, logger, signal }),
  );
  try {
    await announce(server, { ...options, dataDir: resolve(dataDir) }, given, context);
    // It may have fired while the server started.
    if (!signal.aborted) {
      await new Promise((stop) => signal.addEventListener('abort', stop, { once: true }));
    }
  } finally {
    await server.close();
  }
}

async function readSettings(
  options: StartCommandOptions,
  { variables, env }: CommandContext,
): Promise<CollectedSettings> {
  const path = options.config ?? variables['VARVE_CONFIG'];
  const collected = await collectSettings(
    {
      ...(path ? { file: { path, text: await readConfigFile(path, env.files) } } : {}),
      variables,
      flags: options.set ?? [],
    },
    Object.values(allSettings).flatMap(settingKeys),
  );
  return { ...collected, given: new Map([...collected.given, ...ownOptions(options)]) };
}

async function readConfigFile(path: string, files: FileSystem): Promise<string> {
  try {
    return new TextDecoder().decode(await files.readFile(path));
  } catch (error) {
    throw new CommandError(ExitCode.badConfig, (error as Error).message, { cause: error });
  }
}

/** The settings that have an option of their own. */
function ownOptions(options: StartCommandOptions) {
  const { grpc, kafka, http, insecure, nodeId, voters, peer, rack } = options;
  const given: [key: string, value: GivenSetting][] = [];
  const add = (key: string, text: string | undefined, origin: string): void => {
    if (text !== undefined) given.push([key, { text, origin }]);
  };
  add('grpc.listener', grpc, '--grpc');
  add('kafka.listeners', kafka, '--kafka');
  add('http.listener', http, '--http');
  add('insecure', insecure?.toString(), '--insecure');
  add('node.id', nodeId?.toString(), '--node-id');
  add('controller.quorum.voters', voters, '--voters');
  add('peer.listener', peer, '--peer');
  add('broker.rack', rack, '--rack');
  return given;
}

/** What is wrong in the settings gets the exit code that supervisors do not restart for. */
async function orBadConfig<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof SettingError)) throw error;
    throw new CommandError(ExitCode.badConfig, error.message, { cause: error });
  }
}

async function announce(
  { grpcAddress: grpc, kafkaAddresses: kafka, httpAddress: http, clusterId, nodeId }: RunningServer,
  { dataDir, json }: StartCommandOptions,
  settings: CollectedSettings['given'],
  { output }: CommandContext,
): Promise<void> {
  const { durability } = parseSettings(topicLogDefaultSettings, settings);
  const text = json
    ? `${JSON.stringify({ event: 'ready', grpc, kafka, http, dataDir, clusterId, nodeId })}\n`
    : [
        `varve ${SERVER_VERSION} is ready: node ${nodeId} of cluster ${clusterId}`,
        `  gRPC        ${grpc}`,
        `  Kafka       ${kafka.length === 0 ? 'none' : kafka.join(', ')}`,
        `  HTTP        ${http === '' ? 'none' : `http://${http}/metrics`}`,
        `  data        ${dataDir}`,
        `  durability  ${durability}: ${durabilityMeaning[durability]}`,
        '',
      ].join('\n');
  try {
    await output.write(text);
  } catch (error) {
    // A broker that nobody listens to serves all the same.
    if (!(error instanceof OutputClosedError)) throw error;
  }
}

const durabilityMeaning = {
  durable: 'a record is on the disk before it is acknowledged',
  replicated: 'a record is acknowledged from memory, and a power cut may lose it',
} as const;
