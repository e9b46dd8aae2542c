import type { HandlerTable } from '../rpc/method.ts';
import type { ControllerApi } from './controller-api.ts';
import { controllerMethods as methods } from './controller-service.ts';
import type { QuorumApi } from './quorum-api.ts';

/**
 * Serves `varve.internal.v1.ControllerService`. Both do what is asked on this node or refuse with
 * NOT_CONTROLLER: a request goes on to no third node, so none goes round in a circle.
 */
export function serveController(
  table: HandlerTable,
  controller: ControllerApi,
  quorum: QuorumApi,
): void {
  table.onCall(methods.createTopics, ({ topics, validateOnly }) =>
    controller.createTopics(topics, validateOnly),
  );
  table.onCall(methods.deleteTopics, (choices) => controller.deleteTopics(choices));
  table.onCall(methods.createPartitions, ({ topics, validateOnly }) =>
    controller.createPartitions(topics, validateOnly),
  );
  table.onCall(methods.alterTopicConfigs, ({ topics, validateOnly }) =>
    controller.alterTopicConfigs(topics, validateOnly),
  );
  table.onCall(methods.registerBroker, (registration) => controller.registerBroker(registration));
  table.onCall(methods.heartbeat, (beat) => controller.heartbeat(beat));
  table.onCall(methods.allocateProducerIds, (count) => controller.allocateProducerIds(count));
  table.onCall(methods.currentPosition, () => controller.currentPosition());
  table.onCall(methods.describeQuorum, () => quorum.describe());
  table.onCall(methods.addVoter, (id) => quorum.addVoter(id));
  table.onCall(methods.removeVoter, ({ id, force }) => quorum.removeVoter(id, force));
  table.onCall(methods.transferLeadership, (to) => quorum.transferLeadership(to));
}
