import type { BrokerEpoch, ProducerId } from '../model/ids.ts';
import type { ChangedTopic, DeletedTopic, NewPartitions, TopicChoice } from './change-topics.ts';
import type { ConfigChanges } from './config-changes.ts';
import type { CreatedTopic, NewTopic } from './create-topics.ts';
import type { BrokerHeartbeat, HeartbeatAnswer } from './heartbeat.ts';
import type { BrokerRegistration } from './register-broker.ts';

/**
 * What brokers ask the active controller for, wherever it is. Everything rejects with `ApiError`;
 * NOT_CONTROLLER says that nothing was changed, REQUEST_TIMED_OUT that it is not known whether it was.
 */
export interface ControllerApi {
  createTopics(topics: readonly NewTopic[], validateOnly?: boolean): Promise<CreatedTopic[]>;
  deleteTopics(choices: readonly TopicChoice[]): Promise<DeletedTopic[]>;
  createPartitions(
    topics: readonly NewPartitions[],
    validateOnly?: boolean,
  ): Promise<ChangedTopic[]>;
  alterTopicConfigs(
    changes: readonly ConfigChanges[],
    validateOnly?: boolean,
  ): Promise<ChangedTopic[]>;
  /**
   * The epoch of the new incarnation; only under it may the broker append. The same incarnation may ask
   * again.
   *
   * @param signal ends the search for a controller; rejects with its reason
   */
  registerBroker(registration: BrokerRegistration, signal?: AbortSignal): Promise<BrokerEpoch>;
  /** A sign of life; STALE_BROKER_EPOCH if another incarnation has registered. */
  heartbeat(beat: BrokerHeartbeat): Promise<HeartbeatAnswer>;
  /** Hands out `count` producer ids from the result on, never again. */
  allocateProducerIds(count: number): Promise<ProducerId>;
  /** A position: an image that has come so far has all that was committed at the time of the call. */
  currentPosition(signal?: AbortSignal): Promise<number>;
}
