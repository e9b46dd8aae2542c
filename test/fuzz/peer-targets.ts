import { crc32c } from '../../src/codec/crc32c.ts';
import { CorruptError } from '../../src/codec/reader.ts';
import { leaderEpoch, nodeId } from '../../src/model/ids.ts';
import { introduceMethod } from '../../src/quorum/introduce-codec.ts';
import { exchangeMethod, type PeerFrame } from '../../src/quorum/peer-frames.ts';
import type { RaftMessage } from '../../src/raft/messages.ts';
import {
  bytesFieldSize,
  integerFieldSize,
  ProtobufReader,
  ProtobufWriter,
} from '../../src/rpc/protobuf.ts';
import type { Target } from './target.ts';

const epoch = leaderEpoch(3);
const member = { id: nodeId(1), directoryId: 'KB-Wm4jttNGAR215Du7YVw' };
const configuration = { voters: [member, { ...member, id: nodeId(2) }], learners: [member] };
const last = { index: 2 ** 40, epoch };
const bytes = Uint8Array.of(1, 2, 3);

const messages: readonly RaftMessage[] = [
  { kind: 'vote', epoch, isPreVote: true, isTransfer: false, last },
  {
    ...{ kind: 'append', epoch, prev: { index: 4, epoch }, commitIndex: 4 },
    entries: [
      { kind: 'empty', index: 5, epoch },
      { kind: 'command', index: 6, epoch, bytes },
      { kind: 'configuration', index: 7, epoch, configuration },
    ],
  },
  { kind: 'append-refusal', epoch, prevIndex: 5, hint: last },
  {
    ...{ kind: 'snapshot-chunk', epoch, offset: 9, bytes, isLast: true },
    snapshot: { last, configuration, configurationIndex: 7 },
  },
  { kind: 'heartbeat', epoch, commitIndex: 4, round: 2 },
];
const hello: PeerFrame = {
  kind: 'hello',
  hello: { protocolVersion: 1, clusterId: 'c', from: member, to: member, address: 'a:1' },
};
const frames: readonly PeerFrame[] = [
  hello,
  { kind: 'ping' },
  ...messages.map((message): PeerFrame => ({ kind: 'raft', message })),
];

/** What stands in an envelope, behind its checksum. */
function frameOf(encoded: Uint8Array): Uint8Array {
  const reader = new ProtobufReader(encoded);
  reader.tag();
  reader.int64();
  reader.tag();
  return reader.bytes().slice();
}

/** A frame with a right checksum, so that what stands behind it is tried. */
function enveloped(frame: Uint8Array): Uint8Array {
  const checksum = crc32c(frame);
  const writer = new ProtobufWriter(integerFieldSize(checksum) + bytesFieldSize(frame.length));
  writer.integerField(1, checksum);
  writer.bytesField(2, frame);
  return writer.finish();
}

const introduction = {
  ...{ self: member, clusterId: 'c', address: 'a:1', seen: [member] },
  voters: [{ id: nodeId(1), address: 'b:1' }],
  formed: {
    ...{ clusterId: 'c', initial: configuration, current: configuration },
    leader: { id: nodeId(1), address: 'b:1' },
  },
};

const { request: exchange } = exchangeMethod;
const refuses = (thrown: unknown): boolean => thrown instanceof CorruptError;

/** What nodes tell each other. */
export const peerTargets: readonly Target[] = [
  {
    ...{ name: 'Frame between nodes', weight: 6, refuses },
    corpus: frames.map((frame) => frameOf(exchange.encode(frame))),
    run: (frame) => {
      const decoded = exchange.decode(enveloped(frame));
      // What was understood can be written.
      if (decoded.kind !== 'unknown') exchange.encode(decoded);
    },
  },
  {
    ...{ name: 'Answer to frames between nodes', weight: 2, refuses },
    corpus: [exchangeMethod.response.encode({ refusal: 2, detail: 'no', receivedBytes: 7 })],
    run: (encoded) => {
      exchangeMethod.response.encode(exchangeMethod.response.decode(encoded));
    },
  },
  {
    ...{ name: 'Introduce', weight: 4, refuses },
    corpus: [introduceMethod.request.encode({ introduction, wantsToJoin: true })],
    run: (encoded) => {
      introduceMethod.request.encode(introduceMethod.request.decode(encoded));
    },
  },
];
