import { delay } from '../env/abortable.ts';
import { formatAddress } from '../rpc/address.ts';
import type { Broker } from '../rpc/admin-messages.ts';
import { rowOfRpcStatus } from '../rpc/error-message.ts';
import { call, type Method } from '../rpc/method.ts';
import { type Channel, RpcError, type TlsOptions, type Transport } from '../rpc/transport.ts';
import { retryMs } from './backoff.ts';
import type { ClientEnv } from './client-env.ts';
import { argumentError, closedError, errorOfCall, VarveError } from './errors.ts';

export interface BrokerChannelsSettings {
  /** `host:port` of brokers to begin with; any of the cluster will do. */
  readonly bootstrap: readonly string[];
  readonly tls: TlsOptions | undefined;
}

export interface BrokerCallOptions {
  readonly timeoutMs: number;
  /** How long one broker may take before the next is asked; all the time if not given. */
  readonly attemptTimeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
}

/** Largest answer taken. A broker gathers 1 MiB a message, but one batch may be larger. */
const MAX_MESSAGE_BYTES = 128 * 1024 * 1024;

/**
 * The connections to the brokers: one an address, shared by all that a client does, made when it is
 * first needed. And calls that any broker can answer, which go on to the next one after a failure.
 */
export class BrokerChannels {
  readonly #settings: BrokerChannelsSettings;
  readonly #env: ClientEnv;
  readonly #transport: Transport;
  readonly #channels = new Map<string, Channel>();
  readonly #addresses = new Map<number, string>();
  #known: readonly string[] = [];
  /** Which of `#candidates` is asked; moves on after a failure. */
  #turn = 0;
  #closed = false;

  constructor(settings: BrokerChannelsSettings, env: ClientEnv, transport: Transport) {
    if (settings.bootstrap.length === 0) {
      throw argumentError('option `brokers` is empty; give at least one HOST:PORT');
    }
    this.#settings = settings;
    this.#env = env;
    this.#transport = transport;
  }

  /** Takes over where the brokers of the cluster are to be found. */
  learn(brokers: readonly Broker[]): void {
    if (brokers.length === 0) return;
    this.#addresses.clear();
    for (const broker of brokers) this.#addresses.set(broker.nodeId, formatAddress(broker));
    this.#known = [...this.#addresses.values()];
  }

  /** The connection to a node, `undefined` if its address is not known. */
  channelOf(nodeId: number): Channel | undefined {
    const address = this.#addresses.get(nodeId);
    return address === undefined || this.#closed ? undefined : this.#channelAt(address);
  }

  /** How a stream to a node is named in errors: `stream to broker 1 at 127.0.0.1:9095`. */
  streamName(nodeId: number): string {
    const address = this.#addresses.get(nodeId);
    return `stream to broker ${nodeId}${address === undefined ? '' : ` at ${address}`}`;
  }

  /**
   * Calls brokers until one answers, the time is up or the failure is one that no repetition mends.
   * A call whose answer was lost is made again, so what it changes may be done already.
   */
  async callAny<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    options: BrokerCallOptions,
  ): Promise<Response> {
    const { signal } = options;
    const deadlineMs = this.#env.clock.monotonicMs() + options.timeoutMs;
    for (let attempt = 0; ; attempt++) {
      if (this.#closed) throw closedError('client');
      const leftMs = deadlineMs - this.#env.clock.monotonicMs();
      const { channel, address } = this.#candidate();
      try {
        const timeoutMs = Math.max(1, Math.min(leftMs, options.attemptTimeoutMs ?? leftMs));
        return await callOnce(channel, method, request, { timeoutMs, signal });
      } catch (error) {
        signal?.throwIfAborted();
        if (this.#closed) throw closedError('client');
        this.#turn++;
        const waitMs = this.#isRoundOver() ? retryMs(attempt, this.#env.random) : 0;
        const isLate = this.#env.clock.monotonicMs() + waitMs >= deadlineMs;
        if (!isRetriable(error) || isLate)
          throw errorOfCall(error, `${nameOf(method)} at ${address}`);
        await delay(waitMs, this.#env.timers, signal);
      }
    }
  }

  /** Calls a node whose address is known, once. */
  async callNode<Request, Response>(
    nodeId: number,
    method: Method<Request, Response>,
    request: Request,
    options: Omit<BrokerCallOptions, 'attemptTimeoutMs'>,
  ): Promise<Response> {
    const channel = this.channelOf(nodeId);
    if (channel === undefined) throw closedError('client');
    try {
      return await callOnce(channel, method, request, options);
    } catch (error) {
      options.signal?.throwIfAborted();
      if (this.#closed) throw closedError('client');
      throw errorOfCall(error, `${nameOf(method)} at node ${nodeId}`);
    }
  }

  /**
   * Asks each broker given once, in turn, and answers with the first answer: for the first call of a
   * client, which is to fail at once if the addresses are wrong.
   */
  async callFirst<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    options: BrokerCallOptions,
  ): Promise<Response> {
    const { signal } = options;
    const failures: string[] = [];
    const causes: unknown[] = [];
    for (const address of this.#settings.bootstrap) {
      const channel = this.#channelAt(address);
      try {
        return await callOnce(channel, method, request, options);
      } catch (error) {
        signal?.throwIfAborted();
        if (!isRetriable(error)) throw errorOfCall(error, `${nameOf(method)} at ${address}`);
        failures.push(`${address} (${(error as Error).message})`);
        causes.push(error);
      }
    }
    throw new VarveError(
      'NETWORK_EXCEPTION',
      `no broker can be reached at ${failures.join(', ')}; are the addresses those of the gRPC listener (port 9095 by default), and does TLS match?`,
      { retriable: true, cause: causes.length === 1 ? causes[0] : new AggregateError(causes) },
    );
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#channels.values()].map((channel) => channel.close()));
  }

  get #candidates(): readonly string[] {
    return this.#known.length > 0 ? this.#known : this.#settings.bootstrap;
  }

  #candidate(): { channel: Channel; address: string } {
    // After a round of those that are known, the given ones get a try: all brokers may have moved.
    const known = this.#candidates;
    const { bootstrap } = this.#settings;
    const at = this.#turn % (known.length + bootstrap.length);
    const address = at < known.length ? known[at]! : bootstrap[at - known.length]!;
    return { channel: this.#channelAt(address), address };
  }

  #isRoundOver(): boolean {
    return this.#turn % (this.#candidates.length + this.#settings.bootstrap.length) === 0;
  }

  #channelAt(address: string): Channel {
    let channel = this.#channels.get(address);
    if (channel === undefined) {
      const { tls } = this.#settings;
      channel = this.#transport.connect(address, {
        maxMessageBytes: MAX_MESSAGE_BYTES,
        ...(tls === undefined ? {} : { tls }),
      });
      this.#channels.set(address, channel);
    }
    return channel;
  }
}

const callOnce = <Request, Response>(
  channel: Channel,
  method: Method<Request, Response>,
  request: Request,
  { timeoutMs, signal }: Omit<BrokerCallOptions, 'attemptTimeoutMs'>,
): Promise<Response> =>
  call(channel, method, request, { timeoutMs, ...(signal === undefined ? {} : { signal }) });

const isRetriable = (error: unknown): boolean =>
  error instanceof RpcError && rowOfRpcStatus(error.status).retriable;

const nameOf = (method: { readonly path: string }): string =>
  method.path.slice(method.path.lastIndexOf('/') + 1);
