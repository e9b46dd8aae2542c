import type { BrokerEpoch, LeaderEpoch, NodeId, ProducerId, TopicId } from '../model/ids.ts';

/** The newest layout of metadata that this version reads and writes. */
export const METADATA_FORMAT = 1;

/** First record of every cluster. */
export interface ClusterRecord {
  readonly type: 'cluster';
  readonly format: number;
  readonly clusterId: string;
  /** Data directory of the controller that formed the cluster. */
  readonly directoryId: string;
}

/** A broker has started; it takes the place of the incarnation before it. */
export interface RegisterBrokerRecord {
  readonly type: 'register-broker';
  readonly nodeId: NodeId;
  /** The position at which this record was first written. */
  readonly brokerEpoch: BrokerEpoch;
  /** Drawn anew by every start of the process. */
  readonly incarnationId: string;
  readonly directoryId: string;
  readonly host: string;
  readonly port: number;
  /** Empty if the broker has none. */
  readonly rack: string;
}

export interface TopicRecord {
  readonly type: 'topic';
  readonly topicId: TopicId;
  readonly name: string;
}

/** A new partition; those of a topic come in order of their index. */
export interface PartitionRecord {
  readonly type: 'partition';
  readonly topicId: TopicId;
  readonly index: number;
  /** The preferred leader first. */
  readonly replicas: readonly NodeId[];
  readonly isr: readonly NodeId[];
  readonly leader: NodeId | null;
  readonly leaderEpoch: LeaderEpoch;
  /** Raised by every change of the partition. */
  readonly partitionEpoch: number;
}

/** What a partition has become; the replicas stay. */
export interface PartitionChangeRecord {
  readonly type: 'partition-change';
  readonly topicId: TopicId;
  readonly index: number;
  readonly isr: readonly NodeId[];
  readonly leader: NodeId | null;
  readonly leaderEpoch: LeaderEpoch;
  readonly partitionEpoch: number;
}

export interface TopicConfigRecord {
  readonly type: 'topic-config';
  readonly topicId: TopicId;
  readonly key: string;
  /** Null puts the setting back to the broker's default. */
  readonly value: string | null;
}

/** A topic is gone; its id stays known, so that its folders can be told from unknown ones. */
export interface RemoveTopicRecord {
  readonly type: 'remove-topic';
  readonly topicId: TopicId;
}

/** All producer ids below this one have been handed out. */
export interface ProducerIdsRecord {
  readonly type: 'producer-ids';
  readonly nextProducerId: ProducerId;
}

/** One change of the metadata of the cluster (DESIGN D10). */
export type MetadataRecord =
  | ClusterRecord
  | RegisterBrokerRecord
  | TopicRecord
  | PartitionRecord
  | PartitionChangeRecord
  | TopicConfigRecord
  | RemoveTopicRecord
  | ProducerIdsRecord;
