import type { BrokerEpoch, NodeId, ProducerId } from '../model/ids.ts';
import type { ChangedTopic, DeletedTopic, NewPartitions, TopicChoice } from './change-topics.ts';
import type { ConfigChanges } from './config-changes.ts';
import type { ControllerApi } from './controller-api.ts';
import { controllerMethods as methods } from './controller-service.ts';
import type { CreatedTopic, NewTopic } from './create-topics.ts';
import { Forwarding, type ForwardingParts } from './forwarding.ts';
import { ForwardingQuorum } from './forwarding-quorum.ts';
import type { BrokerHeartbeat, HeartbeatAnswer } from './heartbeat.ts';
import type { QuorumAdmin } from './quorum-admin.ts';
import type { QuorumApi } from './quorum-api.ts';
import type { BrokerRegistration } from './register-broker.ts';

export interface ForwardingControllerParts extends ForwardingParts {
  /** Those of this node: they refuse while it is not active. */
  readonly controller: ControllerApi;
  readonly quorum: Pick<QuorumAdmin, keyof QuorumApi | 'here'>;
}

/** The active controller for a broker, wherever it is. See `Forwarding` for what happens when it fails or moves. */
export class ForwardingController implements ControllerApi {
  /** Administration of the quorum, by its leader. */
  readonly quorum: QuorumApi;
  readonly #controller: ControllerApi;
  readonly #forwarding: Forwarding;

  constructor(nodeId: NodeId, parts: ForwardingControllerParts) {
    this.#controller = parts.controller;
    this.#forwarding = new Forwarding(nodeId, parts);
    this.quorum = new ForwardingQuorum(parts.quorum, this.#forwarding);
  }

  createTopics(topics: readonly NewTopic[], validateOnly = false): Promise<CreatedTopic[]> {
    return this.#forwarding.ask({
      method: methods.createTopics,
      request: { topics, validateOnly },
      here: () => this.#controller.createTopics(topics, validateOnly),
      isRepeatable: validateOnly,
    });
  }

  deleteTopics(choices: readonly TopicChoice[]): Promise<DeletedTopic[]> {
    return this.#forwarding.ask({
      method: methods.deleteTopics,
      request: choices,
      here: () => this.#controller.deleteTopics(choices),
      isRepeatable: false,
    });
  }

  createPartitions(
    topics: readonly NewPartitions[],
    validateOnly = false,
  ): Promise<ChangedTopic[]> {
    return this.#forwarding.ask({
      method: methods.createPartitions,
      request: { topics, validateOnly },
      here: () => this.#controller.createPartitions(topics, validateOnly),
      isRepeatable: validateOnly,
    });
  }

  alterTopicConfigs(
    changes: readonly ConfigChanges[],
    validateOnly = false,
  ): Promise<ChangedTopic[]> {
    return this.#forwarding.ask({
      method: methods.alterTopicConfigs,
      request: { topics: changes, validateOnly },
      here: () => this.#controller.alterTopicConfigs(changes, validateOnly),
      isRepeatable: validateOnly,
    });
  }

  registerBroker(registration: BrokerRegistration, signal?: AbortSignal): Promise<BrokerEpoch> {
    return this.#forwarding.ask({
      method: methods.registerBroker,
      request: registration,
      here: () => this.#controller.registerBroker(registration),
      isRepeatable: true,
      signal,
    });
  }

  heartbeat(beat: BrokerHeartbeat): Promise<HeartbeatAnswer> {
    return this.#forwarding.ask({
      method: methods.heartbeat,
      request: beat,
      here: () => this.#controller.heartbeat(beat),
      isRepeatable: true,
    });
  }

  /** Asked again after an answer is lost, what was handed out with it is nobody's. */
  allocateProducerIds(count: number): Promise<ProducerId> {
    return this.#forwarding.ask({
      method: methods.allocateProducerIds,
      request: count,
      here: () => this.#controller.allocateProducerIds(count),
      isRepeatable: true,
    });
  }

  currentPosition(signal?: AbortSignal): Promise<number> {
    return this.#forwarding.ask({
      method: methods.currentPosition,
      request: undefined,
      here: () => this.#controller.currentPosition(),
      isRepeatable: true,
      signal,
    });
  }
}
