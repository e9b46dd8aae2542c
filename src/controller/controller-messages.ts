import type { ErrorMessage } from '../rpc/admin-messages.ts';

/**
 * The messages of `ControllerService` as TypeScript sees them: the fields of
 * `proto/varve/internal/v1/controller.proto` in camel case, documented there. A test compares this file
 * with the proto.
 */

export interface CreateTopicsRequest {
  readonly topics: readonly NewTopic[];
  readonly validateOnly: boolean;
}

export interface NewTopic {
  readonly name: string;
  readonly partitionCount: number;
  readonly replicationFactor: number;
  readonly keyed?: ConfigList | undefined;
  readonly listed?: ConfigList | undefined;
  readonly replicaAssignments: readonly ReplicaAssignment[];
}

export interface ConfigList {
  readonly configs: readonly ConfigText[];
}

export interface ConfigText {
  readonly key: string;
  readonly value?: string | undefined;
}

export interface ReplicaAssignment {
  readonly partition: number;
  readonly replicas: readonly number[];
}

export interface CreateTopicsResponse {
  readonly topics: readonly CreatedTopic[];
}

export interface CreatedTopic {
  readonly name: string;
  readonly error?: ErrorMessage | undefined;
  readonly topicId?: string | undefined;
  readonly partitionCount: number;
  readonly replicationFactor: number;
}

export interface DeleteTopicsRequest {
  readonly topics: readonly TopicChoice[];
}

export interface TopicChoice {
  readonly name?: string | undefined;
  readonly topicId?: string | undefined;
}

export interface DeleteTopicsResponse {
  readonly topics: readonly DeletedTopic[];
}

export interface DeletedTopic {
  readonly name: string;
  readonly error?: ErrorMessage | undefined;
  readonly topicId?: string | undefined;
}

export interface CreatePartitionsRequest {
  readonly topics: readonly NewPartitions[];
  readonly validateOnly: boolean;
}

export interface NewPartitions {
  readonly name: string;
  readonly totalCount: number;
  readonly replicaAssignments?: ReplicaLists | undefined;
}

export interface ReplicaLists {
  readonly partitions: readonly ReplicaList[];
}

export interface ReplicaList {
  readonly replicas: readonly number[];
}

export interface CreatePartitionsResponse {
  readonly topics: readonly ChangedTopic[];
}

export interface ChangedTopic {
  readonly name: string;
  readonly error?: ErrorMessage | undefined;
}

export interface AlterTopicConfigsRequest {
  readonly topics: readonly ConfigChanges[];
  readonly validateOnly: boolean;
}

export interface ConfigChanges {
  readonly name: string;
  readonly edit?: ConfigEdit | undefined;
  readonly operations?: ConfigOperations | undefined;
  readonly replacement?: ConfigList | undefined;
}

export interface ConfigEdit {
  readonly set: readonly ConfigText[];
  readonly unset: readonly string[];
}

export interface ConfigOperations {
  readonly operations: readonly ConfigOperation[];
}

export interface ConfigOperation {
  readonly key: string;
  readonly kind: ConfigOperationKind;
  readonly value?: string | undefined;
}

export type ConfigOperationKind =
  | 'CONFIG_OPERATION_KIND_UNSPECIFIED'
  | 'CONFIG_OPERATION_KIND_SET'
  | 'CONFIG_OPERATION_KIND_DELETE'
  | 'CONFIG_OPERATION_KIND_APPEND'
  | 'CONFIG_OPERATION_KIND_SUBTRACT';

export interface AlterTopicConfigsResponse {
  readonly topics: readonly ChangedTopic[];
}

export interface RegisterBrokerRequest {
  readonly nodeId: number;
  readonly incarnationId: string;
  readonly directoryId: string;
  readonly host: string;
  readonly port: number;
  readonly rack: string;
  readonly listeners: readonly BrokerListener[];
  readonly peerAddress: string;
  readonly features: readonly FeatureRange[];
  readonly isFenced?: boolean | undefined;
  readonly previousBrokerEpoch: number;
}

export interface BrokerListener {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly securityProtocol: string;
}

export interface FeatureRange {
  readonly name: string;
  readonly min: number;
  readonly max: number;
}

export interface HeartbeatRequest {
  readonly nodeId: number;
  readonly brokerEpoch: number;
  readonly currentPosition: number;
  readonly wantsFence: boolean;
  readonly wantsShutdown: boolean;
}

export interface HeartbeatResponse {
  readonly isFenced: boolean;
  readonly isCaughtUp: boolean;
  readonly shouldShutdown: boolean;
}

export interface RegisterBrokerResponse {
  readonly brokerEpoch: number;
}

export interface AllocateProducerIdsRequest {
  readonly count: number;
}

export interface AllocateProducerIdsResponse {
  readonly firstProducerId: number;
}

export type CurrentPositionRequest = Record<string, never>;

export interface CurrentPositionResponse {
  readonly position: number;
}

export type DescribeQuorumRequest = Record<string, never>;

export interface DescribeQuorumResponse {
  readonly leaderId: number;
  readonly leaderEpoch: number;
  readonly commitIndex: number;
  readonly appliedIndex: number;
  readonly members: readonly QuorumMember[];
}

export interface QuorumMember {
  readonly nodeId: number;
  readonly directoryId: string;
  readonly isVoter: boolean;
  readonly matchIndex: number;
  readonly lag: number;
  readonly isHeardOf: boolean;
}

export interface AddVoterRequest {
  readonly nodeId: number;
}

export type AddVoterResponse = Record<string, never>;

export interface RemoveVoterRequest {
  readonly nodeId: number;
  readonly force: boolean;
}

export type RemoveVoterResponse = Record<string, never>;

export interface TransferLeadershipRequest {
  readonly nodeId: number;
}

export type TransferLeadershipResponse = Record<string, never>;
