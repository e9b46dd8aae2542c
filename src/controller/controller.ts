import type { AnySettingGroup } from '../config/parse-settings.ts';
import {
  type CommitListener,
  CoordinatorRuntime,
  type LoadedEntry,
} from '../coordinator/coordinator-runtime.ts';
import type { ShardLog } from '../coordinator/shard-log.ts';
import type { Random } from '../env/ports.ts';
import { emptyImage, imageRecords, type MetadataImage, replay } from '../metadata/image.ts';
import { decodeMetadataRecord, encodeMetadataRecord } from '../metadata/metadata-record-codec.ts';
import type { MetadataRecord } from '../metadata/metadata-records.ts';
import { assert } from '../model/assert.ts';
import { ApiError, Errors } from '../model/errors.ts';
import { type BrokerEpoch, type ProducerId, producerId } from '../model/ids.ts';
import type { SnapshotSource } from '../quorum/quorum-driver.ts';
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
import type { ControllerConfig } from './controller-config.ts';
import { type CreatedTopic, createTopics, type NewTopic } from './create-topics.ts';
import { type BrokerRegistration, registerBroker } from './register-broker.ts';
import { TopicConfigRules } from './topic-configs.ts';

/** Most requests that wait for a commit; more are answered BROKER_OVERLOADED. */
const MAX_WAITING = 10_000;

/**
 * The active controller: decides every change of the metadata of the cluster. A promise resolves
 * when its change is committed, and what an answer says about the state is committed too.
 *
 * Requests for many topics answer for each of them; one that fails does not stop the others. All
 * methods reject with `ApiError`: NOT_CONTROLLER when this node has lost its leadership (the change
 * may or may not have been made), BROKER_OVERLOADED, REQUEST_TOO_LARGE.
 */
export class Controller {
  readonly #config: ControllerConfig;
  readonly #random: Random;
  readonly #configRules: TopicConfigRules;
  readonly #runtime: CoordinatorRuntime<MetadataImage, MetadataRecord>;

  /** @param topicSettings what a topic can have set for itself */
  constructor(
    config: ControllerConfig,
    random: Random,
    log: ShardLog,
    topicSettings: AnySettingGroup,
  ) {
    this.#config = config;
    this.#random = random;
    this.#configRules = new TopicConfigRules(topicSettings);
    const shard = { initial: emptyImage, replay, encode: encodeMetadataRecord };
    this.#runtime = new CoordinatorRuntime({ maxWaiting: MAX_WAITING }, log, shard, notController);
  }

  /**
   * Takes in what was committed before, ahead of the first request.
   *
   * @throws NewerFormatError if a newer version of the program has written it
   */
  load(entries: Iterable<LoadedEntry<Uint8Array>>): void {
    for (const { position, records } of entries) {
      this.#runtime.load([{ position, records: records.map(decodeMetadataRecord) }]);
    }
  }

  /** The committed metadata. */
  get image(): MetadataImage {
    return this.#runtime.committed;
  }

  /** Calls `listener` once for every commit from now on; the result ends that. */
  onImage(listener: CommitListener<MetadataImage>): () => void {
    return this.#runtime.onCommitted(listener);
  }

  /** The committed metadata for a snapshot. */
  snapshot(): SnapshotSource {
    const { image } = this;
    return {
      position: image.position,
      records: () => imageRecords(image).map(encodeMetadataRecord),
    };
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

  /** The epoch of the new incarnation; only under it may the broker append. */
  registerBroker(registration: BrokerRegistration): Promise<BrokerEpoch> {
    return this.#runtime.write((image, position) => registerBroker(image, position, registration));
  }

  /** Hands out `count` producer ids from the result on, never again, whatever crashes. */
  allocateProducerIds(count: number): Promise<ProducerId> {
    assert(Number.isSafeInteger(count) && count > 0, 'a block of producer ids is not empty');
    return this.#runtime.write(({ nextProducerId }) => ({
      records: [{ type: 'producer-ids', nextProducerId: producerId(nextProducerId + count) }],
      response: nextProducerId,
    }));
  }

  /** Before this node serves logs that were written under the metadata of another cluster. */
  adoptLogs(logs: AdoptedLogs): Promise<void> {
    return this.#runtime.write((image) => adoptLogs(image, logs));
  }

  /** Refuses everything from now on: this node no longer leads, or it stops. */
  resign(cause: unknown): void {
    this.#runtime.retire(cause);
  }

  #plan<Response>(
    validateOnly: boolean,
    decide: (plan: ChangePlan) => Response,
  ): Promise<Response> {
    return this.#runtime.write((image, position) => {
      const plan = new ChangePlan(image, position);
      const response = decide(plan);
      return { records: validateOnly ? [] : plan.records, response };
    });
  }
}

const notController = (cause: unknown): ApiError =>
  new ApiError(
    Errors.NOT_CONTROLLER,
    'this node is no longer the active controller; whether the change was made is not known here',
    { cause },
  );
