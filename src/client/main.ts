// biome-ignore-all lint/performance/noBarrelFile: this is what `varve/client` exports

export type {
  Admin,
  CallOptions,
  Capabilities,
  ClusterDescription,
  ConfigChanges,
  ConfigEntry,
  CreatedTopic,
  OffsetSpec,
  Outcome,
  PartitionOffset,
  QuorumDescription,
  QuorumMember,
  TopicConfigs,
  TopicDescription,
  TopicSpec,
  ValidateOption,
} from './admin.ts';
export type { Client, ClientOptions, CloseOptions } from './client.ts';
export { type ClientTls, type ConnectOptions, connect } from './connect.ts';
export type { Consumer, SeekTarget } from './consumer.ts';
export type { ConsumerOptions, StartPosition, TopicChoice } from './consumer-options.ts';
export type { ConsumedBatch } from './consumer-pullers.ts';
export { type FailedRecord, type KnownErrorCode, VarveError, VarveErrorCode } from './errors.ts';
export type { Partitioner } from './partitioner.ts';
export type { OutgoingHeader, Producer, ProducerRecord, SendOptions } from './producer.ts';
export type { RecordMetadata } from './producer-batch.ts';
export type { ProducerOptions } from './producer-options.ts';
export type { ConsumerRecord } from './record-decoder.ts';
export type { InputOf, OutputOf, Serialization, Serializer } from './serializer.ts';
export type { StandardSchemaV1 } from './standard-schema.ts';
