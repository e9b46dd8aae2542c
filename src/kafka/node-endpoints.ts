import { array, type Field, type Fields, int32, type MessageOf, string } from './fields.ts';
import type { KafkaEndpoint, RequestContext } from './request-context.ts';

export interface NodeEndpointFields extends Fields {
  readonly nodeId: Field<number>;
  readonly host: Field<string>;
  readonly port: Field<number>;
  readonly rack: Field<string | null>;
}

/** Where the leaders are that an answer names (KIP-951): clients need not ask for metadata. */
export const nodeEndpoints = (range: string): Field<readonly MessageOf<NodeEndpointFields>[]> => {
  const fields: NodeEndpointFields = {
    nodeId: int32(range),
    host: string(range),
    port: int32(range),
    rack: string(range, { nullable: range, default: null }),
  };
  return array(range, fields, { tag: 0 });
};

/** What a message says of a broker. */
export const brokerOf = ({
  nodeId,
  host,
  port,
  rack,
}: KafkaEndpoint): MessageOf<NodeEndpointFields> => ({
  nodeId,
  host,
  port,
  rack: rack === '' ? null : rack,
});

/** An answer that may say for each partition who leads it now. */
type Answers = readonly {
  readonly [of in 'partitionResponses' | 'partitions']?: readonly {
    readonly currentLeader: { readonly leaderId: number } | null;
  }[];
}[];

/** Where the leaders are that some answers name. */
export function leaderEndpoints(
  answers: Answers,
  { endpoints }: RequestContext,
): readonly MessageOf<NodeEndpointFields>[] {
  const leaders = new Set<number>();
  for (const { partitions = [], partitionResponses = partitions } of answers) {
    for (const { currentLeader } of partitionResponses) {
      if (currentLeader !== null) leaders.add(currentLeader.leaderId);
    }
  }
  if (leaders.size === 0) return [];
  return endpoints()
    .filter(({ nodeId }) => leaders.has(nodeId))
    .map(brokerOf);
}
