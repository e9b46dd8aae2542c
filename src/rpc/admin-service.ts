import type * as protobuf from 'protobufjs';
import type {
  AllocateProducerIdRequest,
  AllocateProducerIdResponse,
  AlterConfigsRequest,
  AlterConfigsResponse,
  CreatePartitionsRequest,
  CreatePartitionsResponse,
  CreateTopicsRequest,
  CreateTopicsResponse,
  DeleteRecordsRequest,
  DeleteRecordsResponse,
  DeleteTopicsRequest,
  DeleteTopicsResponse,
  DescribeClusterRequest,
  DescribeClusterResponse,
  DescribeConfigsRequest,
  DescribeConfigsResponse,
  DescribeTopicsRequest,
  DescribeTopicsResponse,
  GetCapabilitiesRequest,
  GetCapabilitiesResponse,
  ListOffsetsRequest,
  ListOffsetsResponse,
  ListTopicsRequest,
  ListTopicsResponse,
} from './admin-messages.ts';
import type { Method } from './method.ts';
import { loadProto, reflectedCodec, reflectedRequestCodec } from './proto-codec.ts';

/** The calls of `varve.v1.AdminService`, documented in `proto/varve/v1/admin.proto`. */
export interface AdminMethods {
  readonly getCapabilities: Method<GetCapabilitiesRequest, GetCapabilitiesResponse>;
  readonly describeCluster: Method<DescribeClusterRequest, DescribeClusterResponse>;
  readonly listTopics: Method<ListTopicsRequest, ListTopicsResponse>;
  readonly describeTopics: Method<DescribeTopicsRequest, DescribeTopicsResponse>;
  readonly createTopics: Method<CreateTopicsRequest, CreateTopicsResponse>;
  readonly deleteTopics: Method<DeleteTopicsRequest, DeleteTopicsResponse>;
  readonly createPartitions: Method<CreatePartitionsRequest, CreatePartitionsResponse>;
  readonly describeConfigs: Method<DescribeConfigsRequest, DescribeConfigsResponse>;
  readonly alterConfigs: Method<AlterConfigsRequest, AlterConfigsResponse>;
  readonly listOffsets: Method<ListOffsetsRequest, ListOffsetsResponse>;
  readonly deleteRecords: Method<DeleteRecordsRequest, DeleteRecordsResponse>;
  readonly allocateProducerId: Method<AllocateProducerIdRequest, AllocateProducerIdResponse>;
}

export const adminMethods: AdminMethods = {
  getCapabilities: method('GetCapabilities'),
  describeCluster: method('DescribeCluster'),
  listTopics: method('ListTopics'),
  describeTopics: method('DescribeTopics'),
  createTopics: method('CreateTopics'),
  deleteTopics: method('DeleteTopics'),
  createPartitions: method('CreatePartitions'),
  describeConfigs: method('DescribeConfigs'),
  alterConfigs: method('AlterConfigs'),
  listOffsets: method('ListOffsets'),
  deleteRecords: method('DeleteRecords'),
  allocateProducerId: method('AllocateProducerId'),
};

/** The messages of a method are named after it; buf's lint holds the proto to that. */
function method<Request extends object, Response extends object>(
  name: string,
): Method<Request, Response> {
  return {
    path: `/varve.v1.AdminService/${name}`,
    request: reflectedRequestCodec<Request>(() => adminType(`${name}Request`)),
    response: reflectedCodec<Response>(() => adminType(`${name}Response`)),
  };
}

/** Read from the file at the first message, and the same ever after. */
let admin: protobuf.Root | undefined;

function adminType(name: string): protobuf.Type {
  admin ??= loadProto('varve/v1/admin.proto');
  return admin.lookupType(`varve.v1.${name}`);
}
