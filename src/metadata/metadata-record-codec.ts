import { ByteReader, CorruptError } from '../codec/reader.ts';
import { ByteWriter } from '../codec/writer.ts';
import { unreachable } from '../model/assert.ts';
import { leaderEpoch, nodeId, producerId } from '../model/ids.ts';
import {
  readBrokerChange,
  readRegisterBroker,
  readUnregisterBroker,
  writeIncarnation,
  writeRegisterBroker,
  writeState,
} from './broker-record-codec.ts';
import { includesLevel, isPlainRegistration, rangeOf, supportedFeatures } from './features.ts';
import {
  type ClusterRecord,
  type FeatureLevelRecord,
  METADATA_FORMAT,
  type MetadataRecord,
  type PartitionChangeRecord,
  type PartitionRecord,
  type ProducerIdsRecord,
  type RemoveTopicRecord,
  type TopicConfigRecord,
  type TopicRecord,
} from './metadata-records.ts';
import {
  NONE,
  readCount,
  readNodes,
  readText,
  readTopicId,
  writeNodes,
  writeText,
} from './record-fields.ts';

/** The metadata was written by a version of the program that knows more than this one. */
export class NewerFormatError extends Error {
  override readonly name = 'NewerFormatError';

  constructor(what: string) {
    super(`${what} is not known here: a newer version of varve has written it; start that version`);
  }
}

/** Numbers on disk: never reused, never renumbered. */
const typeNumbers: { readonly [T in MetadataRecord['type']]: number } = {
  cluster: 1,
  'register-broker': 2,
  topic: 3,
  partition: 4,
  'partition-change': 5,
  'topic-config': 6,
  'remove-topic': 7,
  'producer-ids': 8,
  'broker-change': 9,
  'unregister-broker': 10,
  'feature-level': 11,
};

/** The newest version of each type that is not in its first. */
const newestVersions: ReadonlyMap<number, number> = new Map([[typeNumbers['register-broker'], 2]]);

/** Whether these are the bytes of a `register-broker`; says so without decoding them. */
export const isRegistration = (bytes: Uint8Array): boolean =>
  bytes[0] === 0 && bytes[1] === typeNumbers['register-broker'];

/**
 * The bytes of a record, big-endian:
 *
 *     type int16 | version int16 | fields
 *
 *     1 cluster           format int16 | cluster id text | directory id text
 *     2 register-broker   node int32 | broker epoch int64 | incarnation text | directory id text |
 *                         host text | port int32 | rack text; in version 2 also
 *                         listeners count int32, and of each name text | host text | port int32 |
 *                         protocol text | peer address text | features count int32, and of each
 *                         name text | min int16 | max int16 | state int8 |
 *                         state position int64 | served epoch int64
 *     3 topic             topic id | name text
 *     4 partition         topic id | index int32 | replicas nodes | isr nodes | leader int32 (-1: none) |
 *                         leader epoch int32 | partition epoch int32
 *     5 partition-change  topic id | index int32 | isr nodes | leader int32 (-1: none) |
 *                         leader epoch int32 | partition epoch int32
 *     6 topic-config      topic id | key text | 0 int8, or 1 int8 and value text
 *     7 remove-topic      topic id
 *     8 producer-ids      next producer id int64
 *     9 broker-change     node int32 | broker epoch int64 | state int8
 *     10 unregister-broker node int32 | broker epoch int64
 *     11 feature-level    name text | level int16
 *
 *     topic id: 22 characters of base64url    text: length int32 | UTF-8    nodes: count int32 | int32 each
 *     state: 0 fenced, 1 unfenced, 2 shutting down
 *
 * A record is written in the first version that can say what it says.
 */
export function encodeMetadataRecord(record: MetadataRecord): Uint8Array {
  const out = new ByteWriter(96);
  out.int16(typeNumbers[record.type]);
  out.int16(versionOf(record));
  switch (record.type) {
    case 'cluster':
      out.int16(record.format);
      writeText(out, record.clusterId);
      writeText(out, record.directoryId);
      break;
    case 'register-broker':
      writeRegisterBroker(out, record);
      break;
    case 'broker-change':
      writeIncarnation(out, record);
      writeState(out, record.state);
      break;
    case 'unregister-broker':
      writeIncarnation(out, record);
      break;
    case 'feature-level':
      writeText(out, record.name);
      out.int16(record.level);
      break;
    case 'topic':
      out.utf8(record.topicId);
      writeText(out, record.name);
      break;
    case 'partition':
      out.utf8(record.topicId);
      out.int32(record.index);
      writeNodes(out, record.replicas);
      writeLeadership(out, record);
      break;
    case 'partition-change':
      out.utf8(record.topicId);
      out.int32(record.index);
      writeLeadership(out, record);
      break;
    case 'topic-config':
      out.utf8(record.topicId);
      writeText(out, record.key);
      out.int8(record.value === null ? 0 : 1);
      if (record.value !== null) writeText(out, record.value);
      break;
    case 'remove-topic':
      out.utf8(record.topicId);
      break;
    case 'producer-ids':
      out.int64(record.nextProducerId);
      break;
    default:
      unreachable(record);
  }
  return out.toBytes();
}

/**
 * The record in `bytes`, which hold nothing else.
 *
 * @throws CorruptError if the bytes are not a record that `encodeMetadataRecord` can have written
 * @throws NewerFormatError if the type or its version is beyond this version of the program
 */
export function decodeMetadataRecord(bytes: Uint8Array): MetadataRecord {
  const reader = new ByteReader(bytes);
  const type = reader.int16();
  const version = reader.int16();
  if (type < 1 || version < 1) {
    throw new CorruptError(`a metadata record claims type ${type} version ${version}`);
  }
  const read = readers.get(type);
  if (read === undefined || version > (newestVersions.get(type) ?? 1)) {
    throw new NewerFormatError(`metadata record type ${type} version ${version}`);
  }
  const record = read(reader, version);
  if (reader.remaining > 0) {
    throw new CorruptError(`${reader.remaining} bytes follow a metadata record (${record.type})`);
  }
  return record;
}

const versionOf = (record: MetadataRecord): number =>
  record.type === 'register-broker' && !isPlainRegistration(record) ? 2 : 1;

const readers = new Map<number, (reader: ByteReader, version: number) => MetadataRecord>([
  [typeNumbers.cluster, readCluster],
  [typeNumbers['register-broker'], readRegisterBroker],
  [typeNumbers.topic, readTopic],
  [typeNumbers.partition, readPartition],
  [typeNumbers['partition-change'], readPartitionChange],
  [typeNumbers['topic-config'], readTopicConfig],
  [typeNumbers['remove-topic'], readRemoveTopic],
  [typeNumbers['producer-ids'], readProducerIds],
  [typeNumbers['broker-change'], readBrokerChange],
  [typeNumbers['unregister-broker'], readUnregisterBroker],
  [typeNumbers['feature-level'], readFeatureLevel],
]);

function readCluster(reader: ByteReader): ClusterRecord {
  const format = reader.int16();
  if (format < 1) throw new CorruptError(`a cluster claims metadata format ${format}`);
  if (format > METADATA_FORMAT) throw new NewerFormatError(`metadata format ${format}`);
  return { type: 'cluster', format, clusterId: readText(reader), directoryId: readText(reader) };
}

function readFeatureLevel(reader: ByteReader): FeatureLevelRecord {
  const name = readText(reader);
  const level = reader.int16();
  if (level < 1) throw new CorruptError(`a feature is at level ${level}`);
  // Everything behind it may mean something else than this program believes.
  if (!includesLevel(rangeOf(supportedFeatures, name), level)) {
    throw new NewerFormatError(`level ${level} of feature ${JSON.stringify(name)}`);
  }
  return { type: 'feature-level', name, level };
}

function readTopic(reader: ByteReader): TopicRecord {
  return { type: 'topic', topicId: readTopicId(reader), name: readText(reader) };
}

function readPartition(reader: ByteReader): PartitionRecord {
  const key = readPartitionKey(reader);
  const replicas = readNodes(reader);
  const leadership = readLeadership(reader);
  if (!leadership.isr.every((node) => replicas.includes(node))) {
    throw new CorruptError('a partition has in-sync replicas that are not its replicas');
  }
  return { type: 'partition', ...key, replicas, ...leadership };
}

function readPartitionChange(reader: ByteReader): PartitionChangeRecord {
  return { type: 'partition-change', ...readPartitionKey(reader), ...readLeadership(reader) };
}

function readTopicConfig(reader: ByteReader): TopicConfigRecord {
  const id = readTopicId(reader);
  const key = readText(reader);
  const flag = reader.int8();
  if (flag !== 0 && flag !== 1) throw new CorruptError(`a setting has the flag ${flag}`);
  return { type: 'topic-config', topicId: id, key, value: flag === 0 ? null : readText(reader) };
}

function readRemoveTopic(reader: ByteReader): RemoveTopicRecord {
  return { type: 'remove-topic', topicId: readTopicId(reader) };
}

function readProducerIds(reader: ByteReader): ProducerIdsRecord {
  const next = reader.int64();
  if (next < 0) throw new CorruptError(`the next producer id is ${next}`);
  return { type: 'producer-ids', nextProducerId: producerId(next) };
}

type Leadership = Pick<PartitionRecord, 'isr' | 'leader' | 'leaderEpoch' | 'partitionEpoch'>;

function writeLeadership(out: ByteWriter, leadership: Leadership): void {
  writeNodes(out, leadership.isr);
  out.int32(leadership.leader ?? NONE);
  out.int32(leadership.leaderEpoch);
  out.int32(leadership.partitionEpoch);
}

function readLeadership(reader: ByteReader): Leadership {
  const isr = readNodes(reader);
  const leader = reader.int32();
  if (leader < NONE) throw new CorruptError(`a partition claims the leader ${leader}`);
  return {
    isr,
    leader: leader === NONE ? null : nodeId(leader),
    leaderEpoch: leaderEpoch(readCount(reader)),
    partitionEpoch: readCount(reader),
  };
}

function readPartitionKey(reader: ByteReader): Pick<PartitionRecord, 'topicId' | 'index'> {
  return { topicId: readTopicId(reader), index: readCount(reader) };
}
