import { brokerSettings } from '../broker/broker-config.ts';
import type { AnySettingGroup } from '../config/parse-settings.ts';
import { controllerSettings } from '../controller/controller-config.ts';
import { grpcSettings } from '../grpc/grpc-config.ts';
import { kafkaSettings } from '../kafka/kafka-config.ts';
import { logSettings } from '../log/log-config.ts';
import { topicLogDefaultSettings } from '../log/topic-config.ts';
import { quorumSettings } from '../quorum/quorum-config.ts';
import { serverSettings } from './server-config.ts';

/** Every setting of a node, by the room that declares it. */
export const allSettings: { readonly [room: string]: AnySettingGroup } = {
  server: serverSettings,
  grpc: grpcSettings,
  kafka: kafkaSettings,
  broker: brokerSettings,
  controller: controllerSettings,
  quorum: quorumSettings,
  log: logSettings,
  'topic defaults': topicLogDefaultSettings,
};
