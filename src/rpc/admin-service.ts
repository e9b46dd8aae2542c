import type {
  AddVoterRequest,
  AddVoterResponse,
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
  DescribeQuorumRequest,
  DescribeQuorumResponse,
  DescribeTopicsRequest,
  DescribeTopicsResponse,
  GetCapabilitiesRequest,
  GetCapabilitiesResponse,
  ListOffsetsRequest,
  ListOffsetsResponse,
  ListTopicsRequest,
  ListTopicsResponse,
  RemoveVoterRequest,
  RemoveVoterResponse,
  TransferLeadershipRequest,
  TransferLeadershipResponse,
} from './admin-messages.ts';
import type { Method } from './method.ts';
import { protoTypes, reflectedCodec, reflectedRequestCodec } from './proto-codec.ts';

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
  readonly describeQuorum: Method<DescribeQuorumRequest, DescribeQuorumResponse>;
  readonly addVoter: Method<AddVoterRequest, AddVoterResponse>;
  readonly removeVoter: Method<RemoveVoterRequest, RemoveVoterResponse>;
  readonly transferLeadership: Method<TransferLeadershipRequest, TransferLeadershipResponse>;
}

const adminType = protoTypes('varve/v1/admin.proto', 'varve.v1');

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
  describeQuorum: method('DescribeQuorum'),
  addVoter: method('AddVoter'),
  removeVoter: method('RemoveVoter'),
  transferLeadership: method('TransferLeadership'),
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
