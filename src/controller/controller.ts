import type { AnySettingGroup } from '../config/parse-settings.ts';
import type { CommitListener, WriteResult } from '../coordinator/coordinator-runtime.ts';
import type { ShardLog } from '../coordinator/shard-log.ts';
import type { Clock, Random, Timers } from '../env/ports.ts';
import type { MetadataImage } from '../metadata/image.ts';
import type { MetadataRecord } from '../metadata/metadata-records.ts';
import { assert } from '../model/assert.ts';
import { ApiError, Errors } from '../model/errors.ts';
import { type BrokerEpoch, type NodeId, type ProducerId, producerId } from '../model/ids.ts';
import { type AdoptedLogs, adoptLogs } from './adopt-logs.ts';
import { ChangePlan } from './change-plan.ts';
import {
  alterTopicConfigs,
  type ChangedTopic,
  createPartitions,
  type DeletedTopic,
  deleteTopics,
  type NewPartitions,
  type TopicChoice,
} from './change-topics.ts';
import type { ConfigChanges } from './config-changes.ts';
import type { ControllerApi } from './controller-api.ts';
import type { ControllerConfig } from './controller-config.ts';
import { type CreatedTopic, createTopics, type NewTopic } from './create-topics.ts';
import { type FeatureUpdate, type UpdatedFeature, updateFeatures } from './feature-levels.ts';
import { fenceBrokers } from './fence-brokers.ts';
import { type BrokerHeartbeat, type HeartbeatAnswer, heartbeat } from './heartbeat.ts';
import { type ClusterIdentity, MetadataReplica } from './metadata-replica.ts';
import { type BrokerRegistration, registerBroker } from './register-broker.ts';
import { SessionKeeper } from './session-keeper.ts';
import { TopicConfigRules } from './topic-configs.ts';
import { unregisterBroker } from './unregister-broker.ts';

/** The log of the metadata. */
export interface MetadataLog extends ShardLog {
  /** Resolves when all is applied that was committed at the time of the call; NOT_CONTROLLER if that cannot be told here. */
  read(): Promise<number>;
}

/**
 * Decides every change of the metadata of the cluster while this node is the active controller. A promise
 * resolves when its change is committed, and what an answer says about the state is committed too.
 *
 * Requests for many topics answer for each of them; one that fails does not stop the others. All
 * methods reject with `ApiError`: NOT_CONTROLLER when this node is not active, and nothing was changed;
 * REQUEST_TIMED_OUT when it has lost its leadership meanwhile, and the change may or may not have been
 * made; BROKER_OVERLOADED, REQUEST_TOO_LARGE.
 */
export class Controller implements ControllerApi {
  readonly #config: ControllerConfig;
  readonly #random: Random;
  readonly #log: MetadataLog;
  readonly #configRules: TopicConfigRules;
  #sessions: SessionKeeper | undefined;
  /** The metadata as they are on this node. */
  readonly replica: MetadataReplica;

  /** @param topicSettings what a topic can have set for itself */
  constructor(
    config: ControllerConfig,
    random: Random,
    log: MetadataLog,
    identity: ClusterIdentity,
    topicSettings: AnySettingGroup,
  ) {
    this.#config = config;
    this.#random = random;
    this.#log = log;
    this.#configRules = new TopicConfigRules(topicSettings);
    this.replica = new MetadataReplica(log, identity);
  }

  /** The committed metadata. */
  get image(): MetadataImage {
    return this.replica.image;
  }

  /** Calls `listener` once for every change of the image from now on; the result ends that. */
  onImage(listener: CommitListener<MetadataImage>): () => void {
    return this.replica.onImage(listener);
  }

  createTopics(topics: readonly NewTopic[], validateOnly = false): Promise<CreatedTopic[]> {
    const context = {
      config: this.#config,
      random: this.#random,
      configRules: this.#configRules,
    };
    return this.#plan(validateOnly, (plan) => {
      const created = createTopics(plan, topics, context);
      // The id that was drawn belongs to no topic.
      return validateOnly ? created.map(({ topicId: _, ...topic }) => topic) : created;
    });
  }

  deleteTopics(choices: readonly TopicChoice[]): Promise<DeletedTopic[]> {
    return this.#plan(false, (plan) => deleteTopics(plan, choices));
  }

  createPartitions(
    topics: readonly NewPartitions[],
    validateOnly = false,
  ): Promise<ChangedTopic[]> {
    return this.#plan(validateOnly, (plan) => createPartitions(plan, topics, this.#config));
  }

  alterTopicConfigs(
    changes: readonly ConfigChanges[],
    validateOnly = false,
  ): Promise<ChangedTopic[]> {
    return this.#plan(validateOnly, (plan) => alterTopicConfigs(plan, changes, this.#configRules));
  }

  /** From now on brokers that are not heard of for the session timeout are fenced. For clusters of several. */
  keepSessions(parts: { readonly clock: Clock; readonly timers: Timers }): void {
    const { replica } = this;
    const sessions = new SessionKeeper(this.#config.sessionTimeoutMs, {
      ...parts,
      image: () => replica.image,
      fence: (ids) => this.fenceBrokers(ids),
    });
    this.#sessions = sessions;
    replica.whenActive((isActive) => sessions.activeIs(isActive));
  }

  /** The epoch of the new incarnation; only under it may the broker append. */
  async registerBroker(registration: BrokerRegistration): Promise<BrokerEpoch> {
    const { nodeId } = registration;
    const hasSession = this.#sessions?.isAlive(nodeId) ?? false;
    const epoch = await this.#write((image, position) =>
      registerBroker(image, position, registration, hasSession),
    );
    this.#sessions?.heard(nodeId);
    return epoch;
  }

  async heartbeat(beat: BrokerHeartbeat): Promise<HeartbeatAnswer> {
    const answer = await this.#write((image) => heartbeat(image, beat));
    this.#sessions?.heard(beat.nodeId);
    return answer;
  }

  fenceBrokers(ids: readonly NodeId[]): Promise<NodeId[]> {
    return this.#write((image) => fenceBrokers(image, ids));
  }

  unregisterBroker(nodeId: NodeId): Promise<void> {
    return this.#write((image) => unregisterBroker(image, nodeId));
  }

  updateFeatures(
    updates: readonly FeatureUpdate[],
    validateOnly = false,
  ): Promise<UpdatedFeature[]> {
    return this.#plan(validateOnly, (plan) => updateFeatures(plan, updates));
  }

  /** Hands out `count` producer ids from the result on, never again, whatever crashes. */
  allocateProducerIds(count: number): Promise<ProducerId> {
    assert(Number.isSafeInteger(count) && count > 0, 'a block of producer ids is not empty');
    return this.#write(({ nextProducerId }) => ({
      records: [{ type: 'producer-ids', nextProducerId: producerId(nextProducerId + count) }],
      response: nextProducerId,
    }));
  }

  async currentPosition(): Promise<number> {
    await this.#log.read();
    // Not what was read: the entry that begins an epoch, or changes the members, has no place in an image.
    return this.image.position;
  }

  /** Before this node serves logs that were written under the metadata of another cluster. */
  adoptLogs(logs: AdoptedLogs): Promise<void> {
    return this.#write((image) => adoptLogs(image, logs));
  }

  #plan<Response>(
    validateOnly: boolean,
    decide: (plan: ChangePlan) => Response,
  ): Promise<Response> {
    return this.#write((image, position) => {
      const plan = new ChangePlan(image, position);
      const response = decide(plan);
      return { records: validateOnly ? [] : plan.records, response };
    });
  }

  /**
   * A change is answered when it is committed, which only a leader can see. What changes nothing, a refusal
   * above all, is answered when this node is known to have led after it was decided: one that is deposed and
   * does not know it yet would answer from the past.
   */
  async #write<Response>(
    operation: (image: MetadataImage, position: number) => WriteResult<MetadataRecord, Response>,
  ): Promise<Response> {
    const { runtime, leaderId } = this.replica;
    if (runtime === null) throw notActive(leaderId);
    let isChange = false;
    let refusal: unknown;
    try {
      const response = await runtime.write((image, position) => {
        try {
          const decided = operation(image, position);
          isChange = decided.records.length > 0;
          return decided;
        } catch (error) {
          refusal = error;
          throw error;
        }
      });
      if (!isChange) await this.#log.read();
      return response;
    } catch (error) {
      if (refusal !== undefined && error === refusal) await this.#log.read();
      throw error;
    }
  }
}

const notActive = (leaderId: NodeId | null): ApiError => {
  const who = leaderId === null ? 'no node is known to be it' : `node ${leaderId} is`;
  const detail = `this node is not the active controller, ${who}; nothing was changed`;
  return new ApiError(Errors.NOT_CONTROLLER, detail);
};
