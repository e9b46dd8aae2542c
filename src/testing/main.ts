import { resolve } from 'node:path';
import { type Client, type ClientOptions, connect } from '../client/main.ts';
import { memoryEnv } from '../env/memory-env.ts';
import { nodeEnv } from '../env/node-env.ts';
import type { Env } from '../env/ports.ts';
import { GrpcTransport } from '../rpc/grpc-transport.ts';
import { Server } from '../server/server.ts';
import { type LogFields, type Logger, silentLogger } from '../telemetry/logger.ts';
import { noMetrics } from '../telemetry/no-metrics.ts';

/** How an embedded broker is to be. */
export interface TestBrokerOptions {
  /** Keeps its data in this folder, as a daemon would. Without it they are in memory and go with it. */
  readonly dataDir?: string;
  /** `HOST:PORT` of the gRPC API; any free port of the loopback if left out. */
  readonly grpc?: string;
  /** `HOST:PORT` for Kafka clients, port 0 for any free one; nowhere if left out. */
  readonly kafka?: string;
  /** Where the broker logs; a pino logger will do. Warnings of the process if left out. */
  readonly logger?: Logger;
  /** Settings by key, such as `{ 'log.segment.bytes': '1MiB' }`. */
  readonly settings?: { readonly [key: string]: string };
}

/** A broker inside this process: the same code as the daemon, on a real port. */
export class TestBroker implements AsyncDisposable {
  readonly #server: Server;

  /** Use `startBroker`. */
  constructor(server: Server) {
    this.#server = server;
  }

  /** `HOST:PORT` for `connect({ brokers: [address] })`. */
  get address(): string {
    return this.#server.grpcAddress;
  }

  /** `HOST:PORT` for Kafka clients; empty if there is no such listener. */
  get kafkaAddress(): string {
    return this.#server.kafkaAddresses[0] ?? '';
  }

  /** A client of this broker; it is the caller's to close. */
  connect(options: Omit<ClientOptions, 'brokers'> = {}): Promise<Client> {
    return connect({ ...options, brokers: [this.address] });
  }

  /** Stops the broker; resolves when its port and its folder are free again. */
  close(): Promise<void> {
    return this.#server.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/**
 * Starts a broker inside this process, in milliseconds: for tests.
 *
 * ```ts
 * await using broker = await startBroker();
 * const client = await broker.connect();
 * ```
 *
 * @throws Error if the folder is in use or is not this broker's, or a setting is not valid
 */
export async function startBroker(options: TestBrokerOptions = {}): Promise<TestBroker> {
  const env: Env = options.dataDir === undefined ? memoryEnv() : nodeEnv();
  const logger = options.logger ?? warningsOnly;
  const onUnexpectedError = (err: unknown): void => logger.error({ err }, 'unexpected error');
  const server = await Server.start(
    {
      dataDir: resolve(options.dataDir ?? '/varve'),
      settings: new Map([
        ['grpc.listener', options.grpc ?? '127.0.0.1:0'],
        ['kafka.listeners', options.kafka ?? ''],
        ['http.listener', ''],
        // Loading it takes longer than everything else.
        ['grpc.reflection.enable', 'false'],
        ['log.scrub.bytes.per.second', '0'],
        ...Object.entries(options.settings ?? {}),
      ]),
    },
    {
      env,
      transport: new GrpcTransport({ onUnexpectedError }, env),
      logger,
      metrics: noMetrics,
      // Reported by the server itself; every call is refused from then on.
      onFatal: () => {},
    },
  );
  return new TestBroker(server);
}

/** A test should not be noisy, but what went wrong in the broker must not be silent. */
const warningsOnly: Logger = {
  ...silentLogger,
  warn: (fields, message) => emitWarning(fields, message),
  error: (fields, message) => emitWarning(fields, message),
  child: () => warningsOnly,
};

function emitWarning(fields: LogFields, message: string): void {
  const { err, ...rest } = fields;
  const cause = err instanceof Error ? `: ${err.stack}` : '';
  process.emitWarning(`${message} ${JSON.stringify(rest)}${cause}`, 'VarveWarning');
}
