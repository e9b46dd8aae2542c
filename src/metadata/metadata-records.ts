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

/** Which levels of a feature a broker can work with (KIP-584). */
export interface FeatureRange {
  readonly name: string;
  readonly min: number;
  readonly max: number;
}

/**
 * What a broker may do. `unfenced`: all. `shutting-down`: it leads nothing any more, and clients are
 * still told of it. `fenced`: it has not come into service, has gone, or was not heard of: it leads
 * nothing, gets nothing new, and clients are not told of it.
 */
export type BrokerState = 'fenced' | 'unfenced' | 'shutting-down';

/** Where clients of one kind find a broker: a listener of its Kafka door. */
export interface BrokerListener {
  /** Clients that came by a listener are sent to those of the same name (KIP-103). */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** `PLAINTEXT` or `SSL`. */
  readonly securityProtocol: string;
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
  /** Of its gRPC API. */
  readonly host: string;
  readonly port: number;
  /** Empty if the broker has none. */
  readonly rack: string;
  readonly listeners: readonly BrokerListener[];
  /** `HOST:PORT` at which other nodes find it; empty if there is none. */
  readonly peerAddress: string;
  /** What it can work with; says nothing of itself at level 1 of the metadata. */
  readonly features: readonly FeatureRange[];
  readonly state: BrokerState;
  /** The position at which that was written. */
  readonly statePosition: number;
  /**
   * The last broker epoch under which it was unfenced, whichever incarnation; -1 for none. Its disk
   * knows of that one: who comes with less is an older copy of it.
   */
  readonly servedEpoch: BrokerEpoch;
}

/** A registered broker may do more, or less, than before. */
export interface BrokerChangeRecord {
  readonly type: 'broker-change';
  readonly nodeId: NodeId;
  /** Of the incarnation that it is about. */
  readonly brokerEpoch: BrokerEpoch;
  readonly state: BrokerState;
}

/** A broker is gone for good. */
export interface UnregisterBrokerRecord {
  readonly type: 'unregister-broker';
  readonly nodeId: NodeId;
  readonly brokerEpoch: BrokerEpoch;
}

/** From here on the cluster uses this level of a feature. */
export interface FeatureLevelRecord {
  readonly type: 'feature-level';
  readonly name: string;
  readonly level: number;
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
  | BrokerChangeRecord
  | UnregisterBrokerRecord
  | FeatureLevelRecord
  | TopicRecord
  | PartitionRecord
  | PartitionChangeRecord
  | TopicConfigRecord
  | RemoveTopicRecord
  | ProducerIdsRecord;
