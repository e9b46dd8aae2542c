import { type ByteReader, CorruptError } from '../codec/reader.ts';
import type { ByteWriter } from '../codec/writer.ts';
import { assert } from '../model/assert.ts';
import {
  type BrokerEpoch,
  brokerEpoch,
  type NodeId,
  nodeId,
  type TopicId,
  topicId,
} from '../model/ids.ts';

const TOPIC_ID_BYTES = 22;
/** Stands for "no leader" and "no value". */
export const NONE = -1;

export function readTopicId(reader: ByteReader): TopicId {
  const text = reader.utf8(TOPIC_ID_BYTES);
  if (!/^[A-Za-z0-9_-]{22}$/.test(text)) throw new CorruptError('a topic id is not base64url');
  return topicId(text);
}

export function readBrokerEpoch(reader: ByteReader): BrokerEpoch {
  const epoch = reader.int64();
  if (epoch < 0) throw new CorruptError(`a broker epoch is ${epoch}`);
  return brokerEpoch(epoch);
}

export function readPort(reader: ByteReader): number {
  const port = reader.int32();
  if (port < 0 || port > 65_535) throw new CorruptError(`a broker claims port ${port}`);
  return port;
}

/** A number from 0. */
export function readCount(reader: ByteReader): number {
  const value = reader.int32();
  if (value < 0) throw new CorruptError(`a number of a metadata record is ${value}`);
  return value;
}

export function writeNodes(out: ByteWriter, nodes: readonly NodeId[]): void {
  out.int32(nodes.length);
  for (const node of nodes) out.int32(node);
}

export function readNodes(reader: ByteReader): NodeId[] {
  const count = reader.count(reader.int32(), 4);
  const nodes: NodeId[] = [];
  for (let i = 0; i < count; i++) nodes.push(nodeId(readCount(reader)));
  if (new Set(nodes).size < count) throw new CorruptError('a list of nodes names one twice');
  return nodes;
}

export function writeText(out: ByteWriter, text: string): void {
  // Half a surrogate pair would come back as another character.
  assert(text.isWellFormed(), 'texts of metadata are well-formed Unicode');
  const at = out.length;
  out.int32(0);
  out.setInt32(at, out.utf8(text));
}

export function readText(reader: ByteReader): string {
  return reader.utf8(reader.count(reader.int32(), 1));
}
