import { Broker } from '../broker/broker.ts';
import { brokerSettings } from '../broker/broker-config.ts';
import { checkUnknown, type GivenSettings, parseSettings } from '../config/parse-settings.ts';
import { settingValues } from '../config/setting-values.ts';
import { controllerSettings } from '../controller/controller-config.ts';
import type { Env } from '../env/ports.ts';
import { randomId } from '../env/random-id.ts';
import { grpcSettings } from '../grpc/grpc-config.ts';
import { GrpcDoor } from '../grpc/grpc-door.ts';
import { kafkaSettings } from '../kafka/kafka-config.ts';
import type { LogDirectoryOwner } from '../log/log-directory.ts';
import type { RecoveryState } from '../log/recovery-progress.ts';
import { topicLogDefaultSettings } from '../log/topic-config.ts';
import { supportedFeatures } from '../metadata/features.ts';
import { type NodeId, nodeId } from '../model/ids.ts';
import { quorumSettings } from '../quorum/quorum-config.ts';
import { parseAddress } from '../rpc/address.ts';
import type { Listener, OnRefused, TlsOptions, Transport } from '../rpc/transport.ts';
import { makeBackground } from '../telemetry/background.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { allSettings } from './all-settings.ts';
import { DataDirectory } from './data-directory.ts';
import { describeLog } from './describe-log.ts';
import { type HttpEndpoint, type Readiness, serveHttp } from './http.ts';
import type { KafkaDoors } from './kafka-doors.ts';
import { type KafkaListenerPlan, planKafkaListeners } from './kafka-listeners.ts';
import {
  checkAdvertised,
  checkHttpListener,
  checkKafkaListener,
  checkListener,
  checkPeerListener,
} from './listener-policy.ts';
import { checkMetadataAge } from './metadata-age.ts';
import { MetadataNode } from './metadata-node.ts';
import type { PeerDoor } from './peer-door.ts';
import { PeerRefusals } from './peer-refusals.ts';
import { type ServerConfig, serverSettings } from './server-config.ts';
import { registerServerMetrics } from './server-metrics.ts';
import { type Certificates, readTlsFiles } from './tls-files.ts';
import { SERVER_VERSION } from './version.ts';
import { parseVoters } from './voters.ts';

export interface ServerOptions {
  /** Folder of everything the node keeps, as an absolute path; made if it is not there. */
  readonly dataDir: string;
  readonly settings: GivenSettings;
  /** Threads of the pool that does file I/O; the flusher never takes the last two. */
  readonly ioThreads?: number;
  /** Ends a start, which may wait for other nodes for as long as they take; it rejects with the reason. */
  readonly signal?: AbortSignal;
}

/** What a server is made of beside its settings; the twins of these make a test or a simulation. */
export interface ServerParts {
  readonly env: Env;
  readonly transport: Transport;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /**
   * Called once when the node cannot go on: its disk failed, and nothing is known about what is on
   * it. It serves nothing any more; the process has to end.
   */
  onFatal(error: unknown): void;
}

/** What reflection tells about. */
const PROTOS: readonly string[] = ['varve/v1/log.proto', 'varve/v1/admin.proto'];
const DEFAULT_IO_THREADS = 4;
/** How long a stop waits until the controller has taken the broker out of service. */
const LEAVE_MS = 2_000;
/** The least that a stop waits for the disk. */
const MIN_CLOSE_MS = 10_000;

/** A node: controller and broker on one data directory, and the doors to them. */
export class Server {
  readonly #config: ServerConfig;
  readonly #parts: ServerParts;
  #http: HttpEndpoint | undefined;
  readonly #onRefused: OnRefused;
  #data: DataDirectory | undefined;
  #broker: Broker | undefined;
  #door: GrpcDoor | undefined;
  #grpc: Listener | undefined;
  #kafka: KafkaDoors | undefined;
  /** Why the node is not ready; empty when it is. */
  #notReady: readonly string[] = ['starting'];
  #recovery: RecoveryState | undefined;
  #closing: Promise<void> | undefined;
  #isFailed = false;
  /** The start has no sense any more. */
  #isEnding = false;
  #failure: unknown;
  #peers: PeerDoor | undefined;
  #metadata: MetadataNode | undefined;

  constructor(config: ServerConfig, parts: ServerParts) {
    this.#config = config;
    this.#parts = parts;
    const refusals = new PeerRefusals(parts.env.clock, parts.logger, parts.metrics);
    this.#onRefused = (...refused) => refusals.note(...refused);
  }

  /**
   * Starts a node; resolves when it serves.
   *
   * @throws SettingError for a setting that is unknown or not valid
   * @throws Error with a sentence that says what to do: the data directory is in use, belongs to
   * another node or cluster, or is damaged; a port is taken; a listener would be open to strangers
   */
  static async start(options: ServerOptions, parts: ServerParts): Promise<Server> {
    // All of them, before anything is touched: a node with a bad setting leaves no trace.
    checkUnknown(options.settings, Object.values(allSettings));
    for (const group of Object.values(allSettings)) parseSettings(group, options.settings);
    const server = new Server(parseSettings(serverSettings, options.settings), parts);
    const { signal } = options;
    const end = (): void => {
      server.#endStart();
      server.#broker?.stop();
    };
    signal?.addEventListener('abort', end, { once: true });
    try {
      signal?.throwIfAborted();
      await server.#start(options);
      signal?.throwIfAborted();
    } catch (error) {
      // What went wrong first says more than what may go wrong after it.
      await server.close().catch(() => {});
      signal?.throwIfAborted();
      throw server.#failure ?? error;
    } finally {
      signal?.removeEventListener('abort', end);
    }
    return server;
  }

  /** `HOST:PORT` of the gRPC API. */
  get grpcAddress(): string {
    return this.#grpc?.address ?? '';
  }

  /** `HOST:PORT` of metrics and health; empty if there is none. */
  get httpAddress(): string {
    return this.#http?.address ?? '';
  }

  /** `HOST:PORT` of each Kafka listener. */
  get kafkaAddresses(): readonly string[] {
    return this.#kafka?.addresses ?? [];
  }

  get clusterId(): string {
    return this.#data?.identity.clusterId ?? '';
  }

  get nodeId(): number {
    return this.#config.nodeId;
  }

  /**
   * Stops in order: no new calls, open streams get their time, everything is flushed, and the data
   * directory is left so that the next start scans nothing.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #start(options: ServerOptions): Promise<void> {
    const { env, logger, metrics } = this.#parts;
    const config = this.#config;
    const { tls, kafkaPlans, kafkaTls, peerTls, voters } = await this.#checkListeners();
    await this.#openHttp();
    this.#goOn();
    this.#data = await DataDirectory.open(
      {
        path: options.dataDir,
        nodeId: nodeId(config.nodeId),
        clusterId: config.clusterId,
        hasPeers: voters.size > 0,
        settings: options.settings,
        ioThreads: options.ioThreads ?? DEFAULT_IO_THREADS,
      },
      env,
      logger,
      (error) => this.#fail(error),
    );
    this.#goOn();
    const { identity } = this.#data;
    const metadata = await this.#openMetadata(voters, peerTls, options.settings);
    this.#goOn();
    const { replica } = metadata;
    await metadata.enter();
    this.#goOn();
    const topicDefaults = parseSettings(topicLogDefaultSettings, options.settings);
    this.#notReady = ['recovering the logs'];
    const owner: LogDirectoryOwner = {
      describe: ({ topic }, topicId) => describeLog(replica.image, topic, topicId, topicDefaults),
      highWatermark: (log) => this.#broker?.highWatermark(log) ?? log.logStartOffset,
      onFailure: (error) => this.#fail(error),
      onFlushStall: (stalledMs) => logger.warn({ stalledMs }, 'the disk does not answer'),
      onRecovery: (state) => {
        this.#recovery = state;
      },
    };
    const logs = await this.#data.openLogs(owner, metrics);
    this.#recovery = undefined;
    this.#goOn();
    checkMetadataAge(replica.image, logs.logs());
    this.#broker = new Broker(
      parseSettings(brokerSettings, options.settings),
      nodeId(config.nodeId),
      topicDefaults,
      {
        ...env,
        ...{ controller: metadata.controller, quorum: metadata.quorum },
        ...{ metadata: replica, logs, logger, metrics },
        background: makeBackground(logger, metrics),
        settings: settingValues(Object.values(allSettings), options.settings),
        onReplaced: (error) => this.#end('another process runs under its node id', error),
      },
    );
    await this.#listen(options.settings, tls);
    await this.#openKafka(kafkaPlans, kafkaTls, options.settings);
    this.#goOn();
    const advertised = parseAddress(config.grpcAdvertisedListener || this.grpcAddress);
    await this.#broker.start({
      incarnationId: randomId(env.random),
      directoryId: identity.directoryId,
      rack: config.rack,
      ...advertised,
      listeners: this.#kafka?.advertised ?? [],
      peerAddress: this.#peers?.advertisedAddress ?? '',
      features: supportedFeatures,
      previousBrokerEpoch: metadata.previousBrokerEpoch,
      isFenced: this.#peers !== undefined,
    });
    // Meanwhile the disk may have failed, too: then the node must not say that it is ready.
    this.#goOn();
    this.#door?.begin();
    this.#kafka?.begin();
    registerServerMetrics(metrics, this.#broker);
    this.#notReady = [];
    this.#grpc?.setServing(true);
  }

  /**
   * A start that is to end opens nothing more, and waits for no other node; what it has opened is closed when it
   * has stopped, not before: it may be in the middle of opening more.
   */
  #endStart(): void {
    this.#isEnding = true;
    this.#metadata?.giveUp();
  }

  /** After each wait of a start: it may be over. */
  #goOn(): void {
    if (this.#isEnding) throw new Error('the start was ended');
  }

  async #openMetadata(
    voters: ReadonlyMap<NodeId, string>,
    tls: TlsOptions | undefined,
    settings: GivenSettings,
  ): Promise<MetadataNode> {
    const { env, transport, logger } = this.#parts;
    if (voters.size > 0) {
      const {
        peerListener: listener,
        peerAdvertisedListener: advertised,
        clusterId,
      } = this.#config;
      const { heartbeatIntervalMs } = parseSettings(quorumSettings, settings);
      this.#notReady = ['waiting for the other nodes'];
      // A node that is alone need not load it.
      const { PeerDoor } = await import('./peer-door.ts');
      this.#peers = new PeerDoor(
        this.#data!,
        { voters, listener, advertised, clusterId, heartbeatIntervalMs, tls },
        { env, transport, logger, onRefused: this.#onRefused },
      );
    }
    const config = parseSettings(controllerSettings, settings);
    this.#metadata = new MetadataNode(this.#data!, config, env, this.#peers);
    return this.#metadata;
  }

  /** What the listeners are to be; one that would be open to strangers is refused before anything is touched. */
  async #checkListeners() {
    const config = this.#config;
    const { files } = this.#parts.env;
    const tls = await readTlsFiles(
      {
        prefix: 'grpc.tls',
        certFile: config.tlsCertFile,
        keyFile: config.tlsKeyFile,
        clientCaFile: config.tlsClientCaFile,
      },
      files,
    );
    checkListener(config.grpcListener, tls, config.insecure);
    checkAdvertised(config.grpcAdvertisedListener || config.grpcListener);
    const kafkaPlans = planKafkaListeners(config);
    const kafkaTls = await readTlsFiles(
      {
        prefix: 'kafka.tls',
        certFile: config.kafkaTlsCertFile,
        keyFile: config.kafkaTlsKeyFile,
        clientCaFile: config.kafkaTlsClientCaFile,
      },
      files,
    );
    for (const plan of kafkaPlans) checkKafkaListener(plan, kafkaTls, config.insecure);
    const peerTls = await readTlsFiles(
      {
        prefix: 'peer.tls',
        certFile: config.peerTlsCertFile,
        keyFile: config.peerTlsKeyFile,
        clientCaFile: config.peerTlsCaFile,
      },
      files,
    );
    const voters = parseVoters(config.voters);
    if (voters.size > 0) {
      const { peerListener, peerAdvertisedListener, nodeId: id } = config;
      const told = voters.get(nodeId(id)) ?? peerListener;
      checkPeerListener(peerListener, peerAdvertisedListener || told, peerTls, config.insecure);
    }
    return { tls, kafkaPlans, kafkaTls, peerTls, voters };
  }

  async #openHttp(): Promise<void> {
    const { httpListener, insecure, httpInsecure } = this.#config;
    if (httpListener === '') return;
    checkHttpListener(httpListener, insecure || httpInsecure);
    const { metrics, logger } = this.#parts;
    const readiness = (): Readiness => this.#readiness();
    this.#http = await serveHttp(httpListener, { metrics, readiness, logger });
  }

  async #openKafka(
    plans: readonly KafkaListenerPlan[],
    tls: Certificates | undefined,
    settings: GivenSettings,
  ): Promise<void> {
    if (plans.length === 0) return;
    const { env } = this.#parts;
    const { KafkaDoors } = await import('./kafka-doors.ts');
    this.#kafka = await KafkaDoors.open(plans, tls, {
      env,
      broker: this.#broker!,
      config: parseSettings(kafkaSettings, settings),
      onRefused: this.#onRefused,
    });
  }

  async #listen(settings: GivenSettings, tls: Awaited<ReturnType<typeof readTlsFiles>>) {
    const { env, transport } = this.#parts;
    const grpc = parseSettings(grpcSettings, settings);
    const onRefused = this.#onRefused;
    const facts = { serverVersion: SERVER_VERSION };
    this.#door = new GrpcDoor(grpc, env, this.#broker!, facts, onRefused);
    this.#grpc = await transport.listen(this.#config.grpcListener, this.#door.handlers, {
      ...grpc,
      memory: this.#broker!.memory,
      onRefused,
      ...(grpc.reflectionEnabled ? { reflection: PROTOS } : {}),
      ...(tls === undefined ? {} : { tls }),
    });
  }

  async #close(): Promise<void> {
    const wasReady = this.#notReady.length === 0;
    if (!this.#isFailed) this.#notReady = ['stopping'];
    if (wasReady) await this.#leaveCluster();
    this.#grpc?.setServing(false);
    this.#door?.stop();
    const patienceMs = wasReady ? this.#config.shutdownTimeoutMs : 0;
    await Promise.all([this.#kafka?.close(patienceMs), this.#grpc?.close(patienceMs)]);
    this.#broker?.stop();
    await this.#metadata?.close();
    try {
      if (!(await this.#closeData())) return;
    } finally {
      await this.#http?.close();
    }
    if (wasReady) this.#parts.logger.info({}, 'stopped');
  }

  /** What this node leads goes to others first, as far as they are there. */
  async #leaveCluster(): Promise<void> {
    await this.#broker?.leave(LEAVE_MS);
    await this.#metadata?.handOver();
  }

  /** False if the disk did not let it: an fsync can hang for ever, and nobody can wait for that. */
  async #closeData(): Promise<boolean> {
    const limitMs = Math.max(this.#config.shutdownTimeoutMs, MIN_CLOSE_MS);
    const late = Promise.withResolvers<false>();
    const timer = this.#parts.env.timers.after(limitMs, () => late.resolve(false));
    const closed = Promise.resolve(this.#data?.close()).then(() => true as const);
    try {
      if (await Promise.race([closed, late.promise])) return true;
    } finally {
      timer.cancel();
    }
    // What comes of it later is nobody's concern any more.
    closed.catch(() => {});
    this.#parts.logger.error(
      { waitedMs: limitMs },
      'stopped without the disk, which does not answer: the next start recovers the logs',
    );
    return false;
  }

  #readiness(): Readiness {
    const ready = this.#notReady.length === 0;
    const recovery = this.#recovery;
    return { ready, reasons: this.#notReady, ...(recovery === undefined ? {} : { recovery }) };
  }

  #fail(error: unknown): void {
    this.#end('the disk failed', error);
  }

  #end(reason: string, error: unknown): void {
    if (this.#isFailed) return;
    this.#isFailed = true;
    this.#failure = error;
    this.#notReady = [reason];
    this.#grpc?.setServing(false);
    this.#broker?.storageFailed();
    this.#endStart();
    this.#door?.stop();
    this.#parts.logger.error({ err: error }, 'the node cannot go on');
    this.#parts.onFatal(error);
  }
}
