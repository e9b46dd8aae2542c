import type { SettingValue } from '../config/setting-values.ts';
import type {
  ChangedTopic,
  DeletedTopic,
  NewPartitions,
  TopicChoice,
} from '../controller/change-topics.ts';
import type { ConfigChanges } from '../controller/config-changes.ts';
import type { ControllerApi } from '../controller/controller-api.ts';
import type { CreatedTopic, NewTopic } from '../controller/create-topics.ts';
import type { MetadataReplica } from '../controller/metadata-replica.ts';
import type { QuorumApi } from '../controller/quorum-api.ts';
import { type Refusal, refuse } from '../controller/refusal.ts';
import type { BrokerRegistration } from '../controller/register-broker.ts';
import type { Clock, Timers } from '../env/ports.ts';
import type { Log } from '../log/log.ts';
import type { LogDirectory } from '../log/log-directory.ts';
import { type TopicLogConfig, topicLogConfig } from '../log/topic-config.ts';
import { emptyImage, type MetadataImage, type TopicImage, topicByName } from '../metadata/image.ts';
import { changedTopics, type TopicChange } from '../metadata/image-delta.ts';
import { type ErrorRow, Errors } from '../model/errors.ts';
import {
  type BrokerEpoch,
  NO_BROKER_EPOCH,
  NO_LEADER_EPOCH,
  type NodeId,
  type Offset,
  type ProducerId,
  type TopicId,
} from '../model/ids.ts';
import type { Partition } from '../replication/partition.ts';
import { ReplicaManager } from '../replication/replica-manager.ts';
import type { Background } from '../telemetry/background.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { BrokerConfig } from './broker-config.ts';
import { describeBrokerConfigs, refuseBrokerConfigs } from './broker-configs.ts';
import { BrokerLifecycle } from './broker-lifecycle.ts';
import { BrokerMeters } from './broker-meters.ts';
import type { ConfigEntry } from './config-entry.ts';
import { describeLogDirs, type LogDirDescription } from './describe-logs.ts';
import { describeProducers, type ProducersAnswer } from './describe-producers.ts';
import { FetchOnce, type FetchQuestion, type FetchTerms } from './fetch-once.ts';
import { type FetchLimits, FetchSession, type FetchSink } from './fetch-session.ts';
import { MemoryBudget } from './memory-budget.ts';
import {
  deleteRecords,
  type EpochEnd,
  isStorageFailure,
  listOffset,
  type OffsetResult,
  type OffsetSpec,
  offsetForLeaderEpoch,
  refusedOffset,
} from './offsets.ts';
import type { PartitionClaim, PartitionLookup, PartitionRefusal } from './partition-lookup.ts';
import { Produce, type ProduceItem, type ProduceOptions, type ProduceResult } from './produce.ts';
import { ProducerIds } from './producer-ids.ts';
import { describeConfigs } from './topic-configs.ts';

/** What the broker works with. */
export interface BrokerParts {
  readonly clock: Clock;
  readonly timers: Timers;
  /** The active one, wherever it is. */
  readonly controller: ControllerApi;
  readonly quorum: QuorumApi;
  /** As they are on this node. */
  readonly metadata: Pick<MetadataReplica, 'image' | 'onImage' | 'reached' | 'leaderId'>;
  readonly logs: LogDirectory;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly background: Background;
  /** All settings of the node, for who asks what they are. */
  readonly settings: readonly SettingValue[];
  /** Another process has taken this broker's place; it serves nothing any more. Called once. */
  onReplaced(error: Error): void;
}

/** Until the broker is registered nobody may lead what it led before. */
const NOT_STARTED = Errors.LEADER_NOT_AVAILABLE;

/**
 * A broker: it follows the metadata, leads what it is told to lead, and serves the use cases that
 * the doors translate to.
 */
export class Broker {
  readonly config: BrokerConfig;
  readonly nodeId: NodeId;
  readonly #topicDefaults: TopicLogConfig;
  readonly #parts: BrokerParts;
  readonly #replicas: ReplicaManager;
  readonly #meters: BrokerMeters;
  readonly #produce: Produce;
  /**
   * What requests and answers take in memory: the doors charge what arrives and leaves, and read no
   * further while it is used up.
   */
  readonly memory: MemoryBudget;
  readonly #producerIds: ProducerIds;
  readonly #lookup: PartitionLookup = (claim) => this.#find(claim);
  /** The metadata as far as this broker has carried it out. */
  #image: MetadataImage = emptyImage;
  #unfollow: (() => void) | undefined;
  /** Of this incarnation, once it follows. */
  #brokerEpoch: BrokerEpoch = NO_BROKER_EPOCH;
  /** Missing while the broker is alone in its cluster. */
  #lifecycle: BrokerLifecycle | undefined;
  /** Ends what a start still waits for. */
  readonly #ending = new AbortController();
  /** Why no partition at all is served; null while they are. */
  #outOfService: ErrorRow | null = NOT_STARTED;

  constructor(
    config: BrokerConfig,
    nodeId: NodeId,
    topicDefaults: TopicLogConfig,
    parts: BrokerParts,
  ) {
    this.config = config;
    this.nodeId = nodeId;
    this.#topicDefaults = topicDefaults;
    this.#parts = parts;
    this.#replicas = new ReplicaManager(parts.clock, parts.timers);
    this.#meters = new BrokerMeters(parts.metrics, parts.clock);
    this.#producerIds = new ProducerIds((count) => parts.controller.allocateProducerIds(count));
    this.memory = new MemoryBudget(config.requestMemoryBytes);
    this.#produce = new Produce(parts.clock, this.#lookup, this.memory);
  }

  /** The committed metadata, as far as this broker has carried it out. */
  get image(): MetadataImage {
    return this.#image;
  }

  get clusterId(): string {
    return this.#image.cluster?.clusterId ?? '';
  }

  /** The node of the active controller; -1 while none is known. */
  get controllerId(): number {
    return this.#parts.metadata.leaderId ?? -1;
  }

  /** Administration of the metadata quorum. */
  get quorum(): QuorumApi {
    return this.#parts.quorum;
  }

  /** Number of partitions that this broker leads. */
  get leaderCount(): number {
    let count = 0;
    for (const partition of this.#replicas.partitions()) {
      if (partition.leadership !== null) count++;
    }
    return count;
  }

  /**
   * Registers this incarnation and starts to lead. The registration raises the leader epoch of every
   * partition that the incarnation before led (DESIGN 4, "a new incarnation"), so nothing is led, and
   * nothing appended, under an epoch that was granted before a crash.
   */
  async start(registration: Omit<BrokerRegistration, 'nodeId'>): Promise<void> {
    const { controller, metadata, logger } = this.#parts;
    const { signal } = this.#ending;
    const presented = { nodeId: this.nodeId, ...registration };
    const brokerEpoch = await controller.registerBroker(presented, signal).catch(ifNot(signal));
    if (brokerEpoch !== undefined) {
      await metadata.reached(brokerEpoch + 1, signal).catch(ifNot(signal));
    }
    // Meanwhile the disk may have failed, or the broker been stopped: then it does not come into service.
    if (this.#outOfService !== NOT_STARTED || brokerEpoch === undefined) return;
    this.#outOfService = null;
    this.#brokerEpoch = brokerEpoch;
    this.#replicas.start();
    this.#unfollow = metadata.onImage((_, image) => this.#follow(image));
    this.#follow(metadata.image);
    if (registration.isFenced && !signal.aborted) await this.#live(brokerEpoch);
    logger.info({ brokerEpoch, leaders: this.leaderCount }, 'broker registered');
  }

  /** Asks the controller to take the broker out of service before it stops; `patienceMs` at most. */
  async leave(patienceMs: number): Promise<void> {
    await this.#lifecycle?.leave(patienceMs);
  }

  /** Appends batches; see `Produce.run`. */
  produce(items: readonly ProduceItem[], options: ProduceOptions): Promise<ProduceResult[]> {
    const beganMs = this.#meters.produceBegun(items);
    return this.#produce.run(items, options).then((results) => {
      this.#meters.produceEnded(beganMs, results);
      return results;
    });
  }

  /** Opens a session that reads partitions into `sink`. */
  openFetch(limits: FetchLimits, sink: FetchSink): FetchSession {
    return new FetchSession(limits, this.#parts.timers, this.#lookup, {
      send: (fetched) => {
        this.#meters.fetched(fetched);
        return sink.send(fetched);
      },
      end: () => sink.end(),
      failed: (error) => sink.failed(error),
    });
  }

  /** Reads partitions once; see `FetchOnce`. */
  fetchOnce(questions: readonly FetchQuestion[], terms: FetchTerms): FetchOnce {
    const { timers, clock } = this.#parts;
    const fetch = new FetchOnce(timers, clock, (claim) => this.#findById(claim), questions, terms);
    // What goes wrong is the caller's to handle.
    fetch.answered.then(
      (answers) => this.#meters.fetched(answers),
      () => {},
    );
    return fetch;
  }

  listOffset(
    topic: string,
    partition: number,
    spec: OffsetSpec,
    leaderEpoch: number = NO_LEADER_EPOCH,
  ): Promise<OffsetResult> {
    const listed = listOffset(this.#lookup, topic, partition, spec, leaderEpoch);
    return this.#orRefused('list an offset', listed);
  }

  offsetForLeaderEpoch(
    topic: string,
    partition: number,
    currentLeaderEpoch: number,
    leaderEpoch: number,
  ): EpochEnd {
    const topicPartition = { topic, partition };
    return offsetForLeaderEpoch(this.#lookup, topicPartition, currentLeaderEpoch, leaderEpoch);
  }

  deleteRecords(topic: string, partition: number, before: number): Promise<OffsetResult> {
    return this.#orRefused('delete records', deleteRecords(this.#lookup, topic, partition, before));
  }

  createTopics(topics: readonly NewTopic[], validateOnly: boolean): Promise<CreatedTopic[]> {
    return this.#parts.controller.createTopics(topics, validateOnly);
  }

  async deleteTopics(choices: readonly TopicChoice[]): Promise<DeletedTopic[]> {
    if (this.config.deleteTopicEnabled) return await this.#parts.controller.deleteTopics(choices);
    const error = refuse('TOPIC_DELETION_DISABLED', 'delete.topic.enable is false on this broker');
    return choices.map((choice) => ({ name: '', ...choice, error }));
  }

  createPartitions(
    topics: readonly NewPartitions[],
    validateOnly: boolean,
  ): Promise<ChangedTopic[]> {
    return this.#parts.controller.createPartitions(topics, validateOnly);
  }

  alterTopicConfigs(
    changes: readonly ConfigChanges[],
    validateOnly: boolean,
  ): Promise<ChangedTopic[]> {
    return this.#parts.controller.alterTopicConfigs(changes, validateOnly);
  }

  describeConfigs(topic: TopicImage): ConfigEntry[] {
    return describeConfigs(this.#topicDefaults, topic);
  }

  describeBrokerConfigs(): ConfigEntry<string | null>[] {
    return describeBrokerConfigs(this.#parts.settings);
  }

  /** Whatever the changes are: see the detail. */
  alterBrokerConfigs(): Refusal {
    return refuseBrokerConfigs();
  }

  describeLogDirs(): LogDirDescription[] {
    return describeLogDirs(this.#parts.logs);
  }

  describeProducers(topic: string, partition: number): ProducersAnswer {
    return describeProducers(this.#lookup, { topic, partition });
  }

  /** A producer id that nobody had before. */
  allocateProducerId(): Promise<ProducerId> {
    return this.#producerIds.next();
  }

  /** The high watermark of a log; its start while the partition is not in service. */
  highWatermark(log: Log): Offset {
    const { topic, partition } = log.topicPartition;
    const replica = this.#replicas.partition(topic, partition);
    return replica?.log === log ? replica.highWatermark : log.logStartOffset;
  }

  /** Reports what no use case expected; the caller answers UNKNOWN_SERVER_ERROR. */
  reportUnexpected(what: string, err: unknown): void {
    this.#parts.logger.error({ err, what }, 'unexpected error');
  }

  /** The disk is out of service: nothing can be led any more (DESIGN 4b rule 6). */
  storageFailed(): void {
    this.#leaveService(Errors.KAFKA_STORAGE_ERROR);
  }

  /** Stops leading; who waits is told to try elsewhere. */
  stop(): void {
    this.#leaveService(Errors.NOT_LEADER_OR_FOLLOWER);
  }

  /** Resolves when the controller has brought the broker into service. */
  async #live(brokerEpoch: BrokerEpoch): Promise<void> {
    const { timers, logger, controller, metadata } = this.#parts;
    const identity = { nodeId: this.nodeId, brokerEpoch };
    this.#lifecycle = new BrokerLifecycle(identity, this.config.heartbeatIntervalMs, {
      ...{ timers, logger },
      heartbeat: (beat) => controller.heartbeat(beat),
      position: () => metadata.image.position,
      onReplaced: (error) => this.#replaced(error),
    });
    await this.#lifecycle.start().catch(ifNot(this.#ending.signal));
  }

  #replaced(error: Error): void {
    this.stop();
    this.#parts.onReplaced(error);
  }

  /** For good: the metadata is not followed any more, or it could make this broker lead again. */
  #leaveService(row: ErrorRow): void {
    this.#outOfService = row;
    this.#ending.abort();
    this.#lifecycle?.stop();
    this.#unfollow?.();
    this.#replicas.stop(row);
  }

  /** What the disk could not do is an outcome of one partition, not the end of a whole request. */
  async #orRefused(what: string, result: Promise<OffsetResult>): Promise<OffsetResult> {
    try {
      return await result;
    } catch (err) {
      if (!isStorageFailure(err)) throw err;
      this.#parts.logger.error({ err, what }, 'the disk could not do what was asked');
      const row = Errors.KAFKA_STORAGE_ERROR;
      return refusedOffset(row, row.message);
    }
  }

  /**
   * Carries out what has changed since the image before. What the image grants to another incarnation of this
   * broker is not for this one: only one of the two may append (DESIGN 4, "a new incarnation").
   */
  #follow(image: MetadataImage): void {
    const known = image.brokers.get(this.nodeId)?.brokerEpoch ?? NO_BROKER_EPOCH;
    if (known !== this.#brokerEpoch) {
      const is = `broker ${this.nodeId} has broker epoch ${this.#brokerEpoch}`;
      this.#replaced(new Error(`${is}, and the metadata know it by ${known}`));
      return;
    }
    const before = this.#image;
    this.#image = image;
    for (const change of changedTopics(before, image)) {
      if (change.after === undefined) this.#removeTopic(change.before!);
      else this.#changeTopic(change, change.after);
    }
  }

  #removeTopic(topic: TopicImage): void {
    const { logs, background, logger } = this.#parts;
    logger.info({ topic: topic.name, topicId: topic.topicId }, 'topic removed');
    this.#replicas.removeTopic(topic.name, Errors.UNKNOWN_TOPIC_OR_PARTITION);
    for (const partition of topic.partitions.keys()) {
      const deleted = logs.delete({ topic: topic.name, partition }, topic.topicId);
      background('delete the log of a removed topic', deleted);
    }
  }

  #changeTopic(change: TopicChange, topic: TopicImage): void {
    const config = topicLogConfig(this.#topicDefaults, topic.configs);
    const indexes = change.configsChanged ? topic.partitions.keys() : change.partitions;
    for (const index of indexes) {
      const state = topic.partitions[index]!;
      if (!state.replicas.includes(this.nodeId)) continue;
      const partition = this.#replica(topic, index, config);
      if (change.configsChanged) partition.log.updateConfig(config);
      if (state.leader !== this.nodeId) {
        partition.resign(Errors.NOT_LEADER_OR_FOLLOWER);
        continue;
      }
      partition.lead({
        leaderEpoch: state.leaderEpoch,
        isr: state.isr,
        minInSync: Math.min(config.minInsyncReplicas, state.replicas.length),
      });
    }
  }

  #replica(topic: TopicImage, index: number, config: TopicLogConfig): Partition {
    const known = this.#replicas.partition(topic.name, index);
    if (known !== undefined) return known;
    const topicPartition = { topic: topic.name, partition: index };
    return this.#replicas.add(this.#parts.logs.openLog(topicPartition, topic.topicId, config));
  }

  #find(claim: PartitionClaim): { partition: Partition } | { refusal: PartitionRefusal } {
    const partition = this.#replicas.partition(claim.topic, claim.partition);
    if (partition?.leadership == null) return { refusal: this.#refusal(claim) };
    if (partition.log.corruption !== null) {
      // Also its marks say nothing: a log that is damaged may end anywhere.
      const detail = `${claim.topic}-${claim.partition} is damaged; the log of the broker says where`;
      return { refusal: refusal(Errors.KAFKA_STORAGE_ERROR, detail) };
    }
    if (claim.topicId.length > 0 && Buffer.compare(claim.topicId, partition.topicIdBytes) !== 0) {
      const detail = `topic ${claim.topic} was deleted and made anew; ask for its id again`;
      return { refusal: refusal(Errors.INCONSISTENT_TOPIC_ID, detail) };
    }
    const { leaderEpoch } = partition;
    if (claim.leaderEpoch !== NO_LEADER_EPOCH && claim.leaderEpoch !== leaderEpoch) {
      const row =
        claim.leaderEpoch < leaderEpoch ? Errors.FENCED_LEADER_EPOCH : Errors.UNKNOWN_LEADER_EPOCH;
      const detail = `leader epoch ${claim.leaderEpoch} of ${claim.topic}-${claim.partition} was asked for; it is ${leaderEpoch}`;
      return { refusal: { ...refusal(row, detail), leaderId: this.nodeId, leaderEpoch } };
    }
    return { partition };
  }

  /**
   * As `#find`, for those who go by the id of a topic: the name may be left empty, and an id that no
   * topic has is told from one of another topic.
   */
  #findById(claim: PartitionClaim): ReturnType<PartitionLookup> {
    const found = this.#find(claim);
    // Without registration nothing is known of topics.
    const isById = claim.topicId.length > 0 && this.#outOfService === null;
    if (!isById || 'partition' in found) return found;
    const id = Buffer.from(claim.topicId).toString('base64url') as TopicId;
    const topic = this.#image.topics.get(id);
    if (topic === undefined) {
      return { refusal: refusal(Errors.UNKNOWN_TOPIC_ID, `there is no topic of id ${id}`) };
    }
    return claim.topic === '' ? this.#find({ ...claim, topic: topic.name }) : found;
  }

  /** Why this broker does not lead a partition. */
  #refusal({ topic, partition }: PartitionClaim): PartitionRefusal {
    if (this.#outOfService !== null) return refusal(this.#outOfService, this.#outOfService.message);
    const known = topicByName(this.#image, topic);
    const state = known?.partitions[partition];
    if (state === undefined) {
      const detail =
        known === undefined
          ? `there is no topic '${topic}'`
          : `topic '${topic}' has ${known.partitions.length} partitions; there is no partition ${partition}`;
      return refusal(Errors.UNKNOWN_TOPIC_OR_PARTITION, detail);
    }
    const name = `${topic}-${partition}`;
    const { leader, leaderEpoch } = state;
    if (leader === null) {
      return refusal(Errors.LEADER_NOT_AVAILABLE, `${name} has no leader`);
    }
    const detail = `node ${leader} leads ${name}, not node ${this.nodeId}`;
    return { ...refusal(Errors.NOT_LEADER_OR_FOLLOWER, detail), leaderId: leader, leaderEpoch };
  }
}

/** A start that was ended is no failure. */
const ifNot =
  (signal: AbortSignal) =>
  (error: unknown): undefined => {
    if (!signal.aborted) throw error;
  };

const refusal = (row: PartitionRefusal['row'], detail: string): PartitionRefusal => ({
  row,
  detail,
  leaderId: -1,
  leaderEpoch: NO_LEADER_EPOCH,
});
