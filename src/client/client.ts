import { adminMethods } from '../rpc/admin-service.ts';
import type { TlsOptions, Transport } from '../rpc/transport.ts';
import { type Logger, silentLogger } from '../telemetry/logger.ts';
import { Admin } from './admin.ts';
import { BrokerChannels } from './broker-channels.ts';
import type { ClientEnv } from './client-env.ts';
import { ClusterMetadata } from './cluster-metadata.ts';
import { Consumer } from './consumer.ts';
import type { ConsumerOptions } from './consumer-options.ts';
import { closedError } from './errors.ts';
import { LeaderCalls } from './leader-calls.ts';
import { OffsetLookup } from './offset-lookup.ts';
import { milliseconds } from './options.ts';
import { Producer } from './producer.ts';
import type { ProducerLimits, ProducerOptions } from './producer-options.ts';
import type { Serialization } from './serializer.ts';

export interface ClientOptions {
  /** `HOST:PORT` of the gRPC listener of some brokers; the others are found through them. */
  readonly brokers: readonly string[];
  /** Where log lines go; nowhere by default. */
  readonly logger?: Logger;
  /** How long calls may take that give no time themselves, in ms; 30,000 by default. */
  readonly requestTimeoutMs?: number;
  /** Gives up connecting. */
  readonly signal?: AbortSignal;
}

/** What a client is built on: the machine and a way to reach brokers. */
export interface ClientPorts {
  readonly env: ClientEnv;
  readonly transport: Transport;
  readonly tls?: TlsOptions | undefined;
}

const METADATA_MAX_AGE_MS = 60_000;
const FIRST_CALL_TIMEOUT_MS = 10_000;
/** What a message takes beside its batch. */
const MESSAGE_OVERHEAD_BYTES = 4096;

export interface CloseOptions {
  /** Gives up waiting for records that are not yet stored: they fail. */
  readonly signal?: AbortSignal;
}

/** Producers and consumers. */
interface Closable {
  close(options?: CloseOptions): Promise<void>;
}

/** A connection to a cluster, from which producers, consumers and the admin are made. */
export class Client {
  readonly #env: ClientEnv;
  readonly #channels: BrokerChannels;
  readonly #metadata: ClusterMetadata;
  readonly #logger: Logger;
  readonly #limits: ProducerLimits;
  readonly #leaders: LeaderCalls;
  readonly #admin: Admin;
  readonly #open = new Set<Closable>();
  #closing: Promise<void> | undefined;

  /** `openClient` makes clients. */
  constructor(
    limits: ProducerLimits,
    env: ClientEnv,
    parts: { channels: BrokerChannels; metadata: ClusterMetadata; logger: Logger },
  ) {
    this.#limits = limits;
    this.#env = env;
    this.#channels = parts.channels;
    this.#metadata = parts.metadata;
    this.#logger = parts.logger;
    this.#leaders = new LeaderCalls(env, parts.channels, parts.metadata);
    this.#admin = new Admin(limits.requestTimeoutMs, parts.channels, this.#leaders);
  }

  /** Makes a producer; one for a whole program is best, since batches are shared. */
  producer<K extends Serialization = 'bytes', V extends Serialization = 'bytes'>(
    options: ProducerOptions<K, V> = {},
  ): Producer<K, V> {
    return this.#track(
      (onClosed) =>
        new Producer(options, this.#env, {
          channels: this.#channels,
          metadata: this.#metadata,
          logger: this.#logger.child({ component: 'producer' }),
          limits: this.#limits,
          onClosed,
        }),
    );
  }

  consumer<K extends Serialization = 'bytes', V extends Serialization = 'bytes'>(
    options: ConsumerOptions<K, V>,
  ): Consumer<K, V> {
    return this.#track(
      (onClosed) =>
        new Consumer(options, this.#env, {
          channels: this.#channels,
          metadata: this.#metadata,
          offsets: new OffsetLookup(this.#leaders, this.#metadata),
          logger: this.#logger.child({ component: 'consumer' }),
          requestTimeoutMs: this.#limits.requestTimeoutMs,
          onClosed,
        }),
    );
  }

  admin(): Admin {
    if (this.#closing !== undefined) throw closedError('client');
    return this.#admin;
  }

  /**
   * Closes producers, which send what they hold and may need their delivery timeout for it, and
   * consumers, then the connections.
   */
  close(options?: CloseOptions): Promise<void> {
    this.#closing ??= this.#close(options);
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #track<T extends Closable>(make: (onClosed: () => void) => T): T {
    if (this.#closing !== undefined) throw closedError('client');
    const made = make(() => this.#open.delete(made));
    this.#open.add(made);
    return made;
  }

  async #close(options: CloseOptions | undefined): Promise<void> {
    await Promise.all([...this.#open].map((one) => one.close(options)));
    this.#metadata.close();
    await this.#channels.close();
  }
}

/** Asks each of the brokers once; fails with NETWORK_EXCEPTION if none answers. */
export async function openClient(options: ClientOptions, ports: ClientPorts): Promise<Client> {
  const { signal, logger = silentLogger, requestTimeoutMs: givenMs = 30_000 } = options;
  const { env, transport, tls } = ports;
  const requestTimeoutMs = milliseconds('requestTimeoutMs', givenMs, 1);
  const channels = new BrokerChannels({ bootstrap: options.brokers, tls }, env, transport);
  try {
    const timeoutMs = Math.min(requestTimeoutMs, FIRST_CALL_TIMEOUT_MS);
    const first = adminMethods.getCapabilities;
    const { maxMessageBytes } = await channels.callFirst(first, {}, { timeoutMs, signal });
    const settings = { requestTimeoutMs, maxAgeMs: METADATA_MAX_AGE_MS };
    const metadata = new ClusterMetadata(settings, env, channels);
    const limits = { requestTimeoutMs, maxBatchBytes: maxMessageBytes - MESSAGE_OVERHEAD_BYTES };
    return new Client(limits, env, { channels, metadata, logger });
  } catch (error) {
    await channels.close();
    throw error;
  }
}
