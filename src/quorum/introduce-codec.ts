import { corruptIfBroken } from '../codec/reader.ts';
import { type NodeId, nodeId } from '../model/ids.ts';
import {
  bool,
  int32,
  MessageTable,
  message,
  optional,
  repeated,
  text,
} from '../rpc/message-table.ts';
import type { MessageCodec, Method } from '../rpc/method.ts';
import { ProtobufReader, requestHeapBytes } from '../rpc/protobuf.ts';
import type { FormedCluster, Introduction, KnownLeader, ListedVoter } from './forming.ts';
import { configurationTable, memberTable } from './member-tables.ts';
import { MAX_ADDRESS_BYTES, MAX_CLUSTER_ID_BYTES } from './peer-frames.ts';

const MAX_REFUSAL_BYTES = 2_000;

/** Who asks. */
export interface IntroduceRequest {
  readonly introduction: Introduction;
  /** It asks the leader to let it follow the log. */
  readonly wantsToJoin: boolean;
}

/** Who answers. */
export interface IntroduceResponse {
  readonly introduction: Introduction;
  /** Why it was not let in; empty otherwise. */
  readonly refusal: string;
}

const id = int32<NodeId>(1, nodeId);
const address = (number: number) => text(number, MAX_ADDRESS_BYTES, 'an address');
const clusterId = (number: number) => text(number, MAX_CLUSTER_ID_BYTES, 'a cluster id');

const formedTable = new MessageTable<FormedCluster>({
  clusterId: clusterId(1),
  initial: message(2, configurationTable),
  current: message(3, configurationTable),
  leader: optional(4, new MessageTable<KnownLeader>({ id, address: address(2) })),
});

const introductionTable = new MessageTable<Introduction>({
  self: message(1, memberTable),
  clusterId: clusterId(2),
  voters: repeated(3, new MessageTable<ListedVoter>({ id, address: address(2) })),
  address: address(4),
  seen: repeated(5, memberTable),
  formed: optional(6, formedTable),
});

/** The unary method of `varve.internal.v1.RaftService`. */
export const introduceMethod: Method<IntroduceRequest, IntroduceResponse> = {
  path: '/varve.internal.v1.RaftService/Introduce',
  request: codecOf(
    new MessageTable({ introduction: message(1, introductionTable), wantsToJoin: bool(2) }),
  ),
  response: codecOf(
    new MessageTable({
      introduction: message(1, introductionTable),
      refusal: text(2, MAX_REFUSAL_BYTES, 'a refusal'),
    }),
  ),
};

function codecOf<T extends object>(table: MessageTable<T>): MessageCodec<T> {
  return {
    encode: (sent) => table.encode(sent),
    decode: (encoded) =>
      corruptIfBroken(() =>
        table.read(new ProtobufReader(encoded, requestHeapBytes(encoded.length))),
      ),
  };
}
