/**
 * The messages of `AdminService` as TypeScript sees them: the fields of `proto/varve/v1/admin.proto`
 * in camel case, documented there. A test compares this file with the proto.
 */

export type GetCapabilitiesRequest = Record<string, never>;

export interface GetCapabilitiesResponse {
  readonly serverVersion: string;
  readonly clusterId: string;
  readonly nodeId: number;
  readonly maxMessageBytes: number;
  readonly features: readonly string[];
}

export type DescribeClusterRequest = Record<string, never>;

export interface DescribeClusterResponse {
  readonly clusterId: string;
  readonly controllerId: number;
  readonly brokers: readonly Broker[];
}

export interface Broker {
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
  readonly rack: string;
}

export type ListTopicsRequest = Record<string, never>;

export interface ListTopicsResponse {
  readonly topics: readonly TopicListing[];
}

export interface TopicListing {
  readonly name: string;
  readonly topicId: string;
  readonly partitionCount: number;
}

export interface DescribeTopicsRequest {
  readonly names: readonly string[];
}

export interface DescribeTopicsResponse {
  readonly topics: readonly TopicDescription[];
  readonly brokers: readonly Broker[];
}

export interface TopicDescription {
  readonly name: string;
  readonly error?: ErrorMessage | undefined;
  readonly topicId: string;
  readonly internal: boolean;
  readonly partitions: readonly PartitionDescription[];
}

export interface PartitionDescription {
  readonly partition: number;
  readonly leaderId: number;
  readonly leaderEpoch: number;
  readonly replicaIds: readonly number[];
  readonly isrIds: readonly number[];
}

export interface CreateTopicsRequest {
  readonly topics: readonly NewTopic[];
  readonly validateOnly: boolean;
}

export interface NewTopic {
  readonly name: string;
  readonly partitionCount: number;
  readonly replicationFactor: number;
  readonly configs: { readonly [name: string]: string };
}

export interface CreateTopicsResponse {
  readonly topics: readonly CreatedTopic[];
}

export interface CreatedTopic {
  readonly name: string;
  readonly error?: ErrorMessage | undefined;
  readonly topicId: string;
  readonly partitionCount: number;
  readonly replicationFactor: number;
}

export interface DeleteTopicsRequest {
  readonly names: readonly string[];
}

export interface DeleteTopicsResponse {
  readonly topics: readonly DeletedTopic[];
}

export interface DeletedTopic {
  readonly name: string;
  readonly error?: ErrorMessage | undefined;
}

export interface CreatePartitionsRequest {
  readonly topics: readonly NewPartitions[];
  readonly validateOnly: boolean;
}

export interface NewPartitions {
  readonly name: string;
  readonly totalCount: number;
}

export interface CreatePartitionsResponse {
  readonly topics: readonly CreatedPartitions[];
}

export interface CreatedPartitions {
  readonly name: string;
  readonly error?: ErrorMessage | undefined;
}

export interface DescribeConfigsRequest {
  readonly topics: readonly string[];
}

export interface DescribeConfigsResponse {
  readonly topics: readonly TopicConfigs[];
}

export interface TopicConfigs {
  readonly name: string;
  readonly error?: ErrorMessage | undefined;
  readonly entries: readonly ConfigEntry[];
}

export interface ConfigEntry {
  readonly name: string;
  readonly value: string;
  readonly source: ConfigSource;
  readonly documentation: string;
}

export interface AlterConfigsRequest {
  readonly topics: readonly ConfigChanges[];
  readonly validateOnly: boolean;
}

export interface ConfigChanges {
  readonly name: string;
  readonly set: { readonly [name: string]: string };
  readonly unset: readonly string[];
}

export interface AlterConfigsResponse {
  readonly topics: readonly AlteredConfigs[];
}

export interface AlteredConfigs {
  readonly name: string;
  readonly error?: ErrorMessage | undefined;
}

export interface ListOffsetsRequest {
  readonly partitions: readonly OffsetQuery[];
  readonly readCommitted: boolean;
}

export interface OffsetQuery {
  readonly topic: string;
  readonly partition: number;
  readonly earliest?: boolean | undefined;
  readonly latest?: boolean | undefined;
  readonly timestampMs?: number | undefined;
}

export interface ListOffsetsResponse {
  readonly partitions: readonly OffsetAnswer[];
}

export interface OffsetAnswer {
  readonly topic: string;
  readonly partition: number;
  readonly error?: ErrorMessage | undefined;
  readonly offset: number;
  readonly timestampMs: number;
  readonly leaderEpoch: number;
}

export interface DeleteRecordsRequest {
  readonly partitions: readonly DeleteRecordsPartition[];
}

export interface DeleteRecordsPartition {
  readonly topic: string;
  readonly partition: number;
  readonly beforeOffset: number;
}

export interface DeleteRecordsResponse {
  readonly partitions: readonly DeletedRecords[];
}

export interface DeletedRecords {
  readonly topic: string;
  readonly partition: number;
  readonly error?: ErrorMessage | undefined;
  readonly logStartOffset: number;
}

export type AllocateProducerIdRequest = Record<string, never>;

export interface AllocateProducerIdResponse {
  readonly producerId: number;
  readonly producerEpoch: number;
}

export interface ErrorMessage {
  readonly code: number;
  readonly name: string;
  readonly retriable: boolean;
  readonly message: string;
}

export type ConfigSource =
  | 'CONFIG_SOURCE_UNSPECIFIED'
  | 'CONFIG_SOURCE_TOPIC'
  | 'CONFIG_SOURCE_BROKER'
  | 'CONFIG_SOURCE_DEFAULT';

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
  readonly voter: boolean;
  readonly matchIndex: number;
  readonly lag: number;
  readonly heardOf: boolean;
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
