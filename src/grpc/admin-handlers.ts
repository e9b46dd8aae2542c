import type { Broker } from '../broker/broker.ts';
import type { ConfigSource } from '../broker/config-entry.ts';
import { type OffsetResult, type OffsetSpec, PARTITIONS_AT_A_TIME } from '../broker/offsets.ts';
import type { QuorumMember } from '../controller/quorum-api.ts';
import type { Refusal } from '../controller/refusal.ts';
import { mapLimited } from '../log/serial-lane.ts';
import {
  isInternalTopic,
  listedBrokers,
  type TopicImage,
  topicByName,
  topicsByName,
} from '../metadata/image.ts';
import { ApiError, Errors } from '../model/errors.ts';
import { type NodeId, nodeId } from '../model/ids.ts';
import type * as messages from '../rpc/admin-messages.ts';
import { adminMethods } from '../rpc/admin-service.ts';
import { toErrorMessage } from '../rpc/error-message.ts';
import type { HandlerTable } from '../rpc/method.ts';

/** What the door says of the server itself. */
export interface ServerFacts {
  readonly serverVersion: string;
  readonly maxMessageBytes: number;
}

/** Serves `varve.v1.AdminService`. */
export function serveAdmin(table: HandlerTable, broker: Broker, facts: ServerFacts): void {
  serveCluster(table, broker, facts);
  serveTopics(table, broker);
  serveConfigs(table, broker);
  serveOffsets(table, broker);
  serveQuorum(table, broker);
  table.onCall(adminMethods.allocateProducerId, async () => ({
    producerId: await broker.allocateProducerId(),
    producerEpoch: 0,
  }));
}

function serveCluster(table: HandlerTable, broker: Broker, facts: ServerFacts): void {
  table.onCall(adminMethods.getCapabilities, async () => ({
    ...facts,
    clusterId: broker.clusterId,
    nodeId: broker.nodeId,
    features: ['plain_records'],
  }));
  table.onCall(adminMethods.describeCluster, async () => ({
    clusterId: broker.clusterId,
    controllerId: broker.controllerId,
    brokers: brokers(broker),
  }));
}

function serveTopics(table: HandlerTable, broker: Broker): void {
  table.onCall(adminMethods.listTopics, async () => ({
    topics: topicsByName(broker.image).map(({ name, topicId, partitions }) => ({
      name,
      topicId,
      partitionCount: partitions.length,
    })),
  }));
  table.onCall(adminMethods.describeTopics, async ({ names }) => ({
    topics:
      names.length === 0
        ? topicsByName(broker.image).map(describeTopic)
        : distinct(names).map((name) => {
            const topic = topicByName(broker.image, name);
            return topic === undefined ? unknownTopic(name) : describeTopic(topic);
          }),
    brokers: brokers(broker),
  }));
  table.onCall(adminMethods.createTopics, async ({ topics, validateOnly }) => {
    // In a proto3 message "not given" is 0; the use case says -1, as Kafka does.
    const wanted = topics.map((topic) => ({
      name: topic.name,
      partitionCount: topic.partitionCount || -1,
      replicationFactor: topic.replicationFactor || -1,
      configs: topic.configs,
    }));
    const created = await broker.createTopics(wanted, validateOnly);
    return {
      topics: created.map((topic) => ({
        name: topic.name,
        error: errorOf(topic.error),
        topicId: topic.topicId ?? '',
        partitionCount: topic.partitionCount,
        replicationFactor: topic.replicationFactor,
      })),
    };
  });
  table.onCall(adminMethods.deleteTopics, async ({ names }) => ({
    topics: outcomes(await broker.deleteTopics(names.map((name) => ({ name })))),
  }));
  table.onCall(adminMethods.createPartitions, async ({ topics, validateOnly }) => ({
    topics: outcomes(await broker.createPartitions(topics, validateOnly)),
  }));
}

function serveConfigs(table: HandlerTable, broker: Broker): void {
  table.onCall(adminMethods.describeConfigs, async ({ topics }) => ({
    topics: distinct(topics).map((name) => {
      const topic = topicByName(broker.image, name);
      if (topic === undefined) return { name, error: unknownTopic(name).error, entries: [] };
      const entries = broker
        .describeConfigs(topic)
        .map((entry) => ({ ...entry, source: sourceNames[entry.source] }));
      return { name, entries };
    }),
  }));
  table.onCall(adminMethods.alterConfigs, async ({ topics, validateOnly }) => ({
    topics: outcomes(await broker.alterTopicConfigs(topics, validateOnly)),
  }));
}

function serveOffsets(table: HandlerTable, broker: Broker): void {
  table.onCall(adminMethods.listOffsets, async ({ partitions }) => ({
    partitions: await mapLimited(partitions, PARTITIONS_AT_A_TIME, async (query) => {
      const { topic, partition } = query;
      const result = await broker.listOffset(topic, partition, offsetSpec(query));
      return {
        topic,
        partition,
        error: errorOf(result),
        offset: result.offset,
        timestampMs: result.timestampMs,
        leaderEpoch: result.leaderEpoch,
      };
    }),
  }));
  table.onCall(adminMethods.deleteRecords, async ({ partitions }) => ({
    partitions: await mapLimited(
      partitions,
      PARTITIONS_AT_A_TIME,
      async ({ topic, partition, beforeOffset }) => {
        const result = await broker.deleteRecords(topic, partition, beforeOffset);
        return { topic, partition, error: errorOf(result), logStartOffset: result.offset };
      },
    ),
  }));
}

function serveQuorum(table: HandlerTable, { quorum }: Broker): void {
  table.onCall(adminMethods.describeQuorum, async () => {
    const { leaderId, members, ...description } = await quorum.describe();
    return { ...description, leaderId: leaderId ?? -1, members: members.map(quorumMember) };
  });
  table.onCall(adminMethods.addVoter, async ({ nodeId: id }) => {
    await quorum.addVoter(nodeIdOf(id));
    return {};
  });
  table.onCall(adminMethods.removeVoter, async ({ nodeId: id, force }) => {
    await quorum.removeVoter(nodeIdOf(id), force);
    return {};
  });
  table.onCall(adminMethods.transferLeadership, async ({ nodeId: id }) => {
    await quorum.transferLeadership(nodeIdOf(id));
    return {};
  });
}

function nodeIdOf(id: number): NodeId {
  if (id >= 0) return nodeId(id);
  throw new ApiError(Errors.INVALID_REQUEST, `node id ${id} cannot be, give one from 0`);
}

const quorumMember = (member: QuorumMember): messages.QuorumMember => ({
  nodeId: member.nodeId,
  directoryId: member.directoryId,
  voter: member.role === 'voter',
  matchIndex: member.matchIndex ?? -1,
  lag: member.lag ?? -1,
  heardOf: member.isHeardOf,
});

/** A short request can repeat a name very often, and each would be answered at length. */
const distinct = (names: readonly string[]): string[] => [...new Set(names)];

const sourceNames: { readonly [source in ConfigSource]: messages.ConfigSource } = {
  topic: 'CONFIG_SOURCE_TOPIC',
  broker: 'CONFIG_SOURCE_BROKER',
  default: 'CONFIG_SOURCE_DEFAULT',
};

/** An outcome without an error is success, and so is one with the row NONE. */
const errorOf = (outcome: Refusal | OffsetResult | undefined): messages.ErrorMessage | undefined =>
  outcome === undefined || outcome.row === Errors.NONE
    ? undefined
    : toErrorMessage(outcome.row, outcome.detail);

const outcomes = (
  results: readonly { readonly name: string; readonly error?: Refusal }[],
): { name: string; error: messages.ErrorMessage | undefined }[] =>
  results.map(({ name, error }) => ({ name, error: errorOf(error) }));

/** No spec at all means the latest offset, as an empty message would. */
const offsetSpec = (query: messages.OffsetQuery): OffsetSpec => {
  if (query.timestampMs !== undefined) return { timestampMs: query.timestampMs };
  return query.earliest === true ? 'earliest' : 'latest';
};

const brokers = (broker: Broker): messages.Broker[] =>
  listedBrokers(broker.image).map(({ nodeId, host, port, rack }) => ({ nodeId, host, port, rack }));

const describeTopic = (topic: TopicImage): messages.TopicDescription => ({
  name: topic.name,
  topicId: topic.topicId,
  internal: isInternalTopic(topic.name),
  partitions: topic.partitions.map((partition, index) => ({
    partition: index,
    leaderId: partition.leader ?? -1,
    leaderEpoch: partition.leaderEpoch,
    replicaIds: partition.replicas,
    isrIds: partition.isr,
  })),
});

const unknownTopic = (name: string): messages.TopicDescription => ({
  name,
  error: toErrorMessage(
    Errors.UNKNOWN_TOPIC_OR_PARTITION,
    `there is no topic ${JSON.stringify(name)}`,
  ),
  topicId: '',
  internal: false,
  partitions: [],
});
