import { resolve } from 'node:path';
import { useNativeCrc32c } from '../codec/crc32c.ts';
import type { GivenSettings } from '../config/parse-settings.ts';
import { nodeEnv } from '../env/node-env.ts';
import { GrpcTransport } from '../rpc/grpc-transport.ts';
import type { Logger } from '../telemetry/logger.ts';
import { pinoLogger } from '../telemetry/pino-logger.ts';
import { PrometheusMetrics } from '../telemetry/prometheus-metrics.ts';
import { Server } from './server.ts';

/** What a process starts a node with. */
export interface StartServerOptions {
  /** Folder of everything the node keeps; made if it is not there. */
  readonly dataDir: string;
  /** By key, such as `log.segment.bytes`; what is left out has its default. */
  readonly settings?: GivenSettings | { readonly [key: string]: string };
  /** Where it logs; JSON lines on standard error if left out. A pino logger will do. */
  readonly logger?: Logger;
  /**
   * Called once when the node cannot go on because its disk failed. The process must end; it does
   * if this is left out.
   */
  readonly onFatal?: (error: unknown) => void;
  /** Ends a start, which waits for the other nodes of its cluster; it then rejects with the reason. */
  readonly signal?: AbortSignal;
}

/** A node that serves. */
export interface RunningServer extends AsyncDisposable {
  /** `HOST:PORT` of the gRPC API. */
  readonly grpcAddress: string;
  /** `HOST:PORT` of metrics and health; empty if there is none. */
  readonly httpAddress: string;
  /** `HOST:PORT` of each Kafka listener, in the order of the settings. */
  readonly kafkaAddresses: readonly string[];
  readonly clusterId: string;
  readonly nodeId: number;
  /** Stops gracefully; the next start then has nothing to recover. */
  close(): Promise<void>;
}

/**
 * Starts a node in this process and resolves when it serves. For one inside a test see
 * `varve/testing`.
 *
 * @throws SettingError for a setting that is unknown or not valid
 * @throws Error that says what to do if the data directory is in use, is another node's or is
 * damaged, if a port is taken, or if a listener would be open to strangers
 */
export async function startServer(options: StartServerOptions): Promise<RunningServer> {
  useNativeCrc32c();
  const env = nodeEnv();
  const logger = options.logger ?? pinoLogger({ level: 'info', destination: 'stderr' });
  const onUnexpectedError = (err: unknown): void => logger.error({ err }, 'unexpected error');
  const server = await Server.start(
    {
      dataDir: resolve(options.dataDir),
      settings: isMap(options.settings)
        ? options.settings
        : new Map(Object.entries(options.settings ?? {})),
      ioThreads: ioThreads(),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    },
    {
      env,
      transport: new GrpcTransport({ onUnexpectedError }, env),
      logger,
      metrics: new PrometheusMetrics({ processMetrics: true }),
      onFatal: options.onFatal ?? endProcess,
    },
  );
  return {
    grpcAddress: server.grpcAddress,
    httpAddress: server.httpAddress,
    kafkaAddresses: server.kafkaAddresses,
    clusterId: server.clusterId,
    nodeId: server.nodeId,
    close: () => server.close(),
    [Symbol.asyncDispose]: () => server.close(),
  };
}

const isMap = (settings: StartServerOptions['settings']): settings is GivenSettings =>
  settings instanceof Map;

/** The size of the thread pool of this process, as libuv reads it. */
function ioThreads(): number {
  const size = Number(process.env['UV_THREADPOOL_SIZE']);
  return Number.isInteger(size) && size > 0 ? size : 4;
}

/** The server has logged why. */
const endProcess = (): void => process.exit(1);
