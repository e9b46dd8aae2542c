import { crc32c } from '../codec/crc32c.ts';
import { CorruptError, corruptIfBroken } from '../codec/reader.ts';
import { AssertionError } from '../model/assert.ts';
import type { Member } from '../raft/configuration.ts';
import type { RaftMessage } from '../raft/messages.ts';
import {
  bytes,
  int32,
  int64,
  MessageTable,
  message,
  optional,
  text,
} from '../rpc/message-table.ts';
import type { MessageCodec, Method } from '../rpc/method.ts';
import { ProtobufReader } from '../rpc/protobuf.ts';
import { memberTable } from './member-tables.ts';
import {
  fromRaftParts,
  NO_RAFT_PARTS,
  type RaftParts,
  raftFields,
  toRaftParts,
} from './raft-message-codec.ts';

/** The protocol that this node speaks (`Hello.protocol_version`). */
export const PROTOCOL_VERSION = 1;

/** Listeners and channels of peers take messages of this size: the largest entry, and what is around it. */
export const PEER_MESSAGE_BYTES_MAX: number = 40 * 1024 * 1024;

/** Most bytes of a cluster id. */
export const MAX_CLUSTER_ID_BYTES = 255;
/** Most bytes of `host:port`. */
export const MAX_ADDRESS_BYTES = 300;
const MAX_DETAIL_BYTES = 2_000;

/**
 * What a frame may come to in memory when it is decoded. Most is needed by entries of a few bytes each: a
 * leader sends a MiB of them counted at 24 bytes and more (`entryBytes`), so 43,690 of 208 bytes each.
 */
const frameHeapBytes = (length: number): number =>
  Math.min(128 * length, 12 * 1024 * 1024 + 3 * length);

/** Who sends, and to whom. */
export interface Hello {
  readonly protocolVersion: number;
  readonly clusterId: string;
  readonly from: Member;
  readonly to: Member;
  /** Where the sender listens for its peers; empty if nowhere. */
  readonly address: string;
}

/** What travels from the node that opened a stream. */
export type PeerFrame =
  | { readonly kind: 'hello'; readonly hello: Hello }
  | { readonly kind: 'ping' }
  | { readonly kind: 'raft'; readonly message: RaftMessage }
  /** Of a later version, and nothing that has to be understood. */
  | { readonly kind: 'unknown' };

/** Why a stream is refused; the numbers are those of the proto. */
export const Refusal = {
  NONE: 0,
  NOT_READY: 1,
  OTHER_CLUSTER: 2,
  NOT_ME: 3,
  ID_IN_USE: 4,
  UNSUPPORTED_VERSION: 5,
} as const;

/** The first one accepts or refuses the hello. */
export interface ExchangeResponse {
  /** A number that this version does not know is a refusal too. */
  readonly refusal: number;
  readonly detail: string;
  /** Of all requests of the stream so far. */
  readonly receivedBytes: number;
}

interface Envelope {
  readonly checksum: number;
  readonly frame: Uint8Array;
}

interface Frame extends RaftParts {
  readonly hello: Hello | undefined;
  readonly ping: object | undefined;
}

const helloTable = new MessageTable<Hello>({
  protocolVersion: int32(1),
  clusterId: text(2, MAX_CLUSTER_ID_BYTES, 'a cluster id'),
  from: message(3, memberTable),
  to: message(4, memberTable),
  address: text(5, MAX_ADDRESS_BYTES, 'an address'),
});

const pingTable = new MessageTable<object>({});

/** One of them is there, none if the frame is of a kind that this version does not know. */
const frameTable = new MessageTable<Frame>({
  hello: optional(1, helloTable),
  ping: optional(2, pingTable),
  ...raftFields,
});

const envelopeTable = new MessageTable<Envelope>({
  // An unsigned one, which an int64 is on the wire too.
  checksum: int64(1),
  frame: bytes(2),
});

const exchangeResponseTable = new MessageTable<ExchangeResponse>({
  refusal: int32(1),
  detail: text(2, MAX_DETAIL_BYTES, 'a detail'),
  receivedBytes: int64(3),
});

const NOTHING: Frame = { hello: undefined, ping: undefined, ...NO_RAFT_PARTS };

const frameCodec: MessageCodec<PeerFrame> = {
  encode(content) {
    const frame = frameTable.encode(toFrame(content));
    return envelopeTable.encode({ checksum: crc32c(frame), frame });
  },

  decode(encoded) {
    const envelope = envelopeTable.read(new ProtobufReader(encoded, 1024));
    // The checksum of nothing is 0, as if none were there.
    if (envelope.frame.length === 0) throw new CorruptError('a frame is empty');
    if (crc32c(envelope.frame) !== envelope.checksum) {
      throw new CorruptError('the checksum of a frame is wrong');
    }
    const reader = new ProtobufReader(envelope.frame, frameHeapBytes(encoded.length));
    return corruptIfBroken(() => fromFrame(frameTable.read(reader)));
  },
};

function toFrame(content: PeerFrame): Frame {
  switch (content.kind) {
    case 'hello':
      return { ...NOTHING, hello: content.hello };
    case 'ping':
      return { ...NOTHING, ping: {} };
    case 'raft':
      return { ...NOTHING, ...toRaftParts(content.message) };
    case 'unknown':
      throw new AssertionError('only frames of this version are sent');
  }
}

function fromFrame(frame: Frame): PeerFrame {
  const contents = Object.values(frame).filter((value) => value !== undefined);
  if (contents.length > 1) throw new CorruptError('a frame holds one thing');
  if (frame.hello !== undefined) return { kind: 'hello', hello: frame.hello };
  if (frame.ping !== undefined) return { kind: 'ping' };
  const message = fromRaftParts(frame);
  return message === undefined ? { kind: 'unknown' } : { kind: 'raft', message };
}

const exchangeResponseCodec: MessageCodec<ExchangeResponse> = {
  encode: (response) => exchangeResponseTable.encode(response),
  decode: (encoded) =>
    exchangeResponseTable.read(new ProtobufReader(encoded, frameHeapBytes(encoded.length))),
};

/** The stream of `varve.internal.v1.RaftService`. */
export const exchangeMethod: Method<PeerFrame, ExchangeResponse> = {
  path: '/varve.internal.v1.RaftService/Exchange',
  request: frameCodec,
  response: exchangeResponseCodec,
};
