import { type ErrorRow, Errors } from '../../model/errors.ts';
import { type Api, api } from '../api.ts';
import { array, bool, int8, int16, int32, string } from '../fields.ts';
import { textOf } from '../kafka-errors.ts';
import { brokerOf } from '../node-endpoints.ts';
import { UNKNOWN_OPERATIONS } from '../topics.ts';

const request = {
  includeClusterAuthorizedOperations: bool('0+'),
  endpointType: int8('1+', { default: 1 }),
};

const response = {
  throttleTimeMs: int32('0+'),
  errorCode: int16('0+'),
  errorMessage: string('0+', { nullable: '0+', default: null }),
  endpointType: int8('1+', { default: 1 }),
  clusterId: string('0+'),
  controllerId: int32('0+', { default: -1 }),
  brokers: array('0+', {
    brokerId: int32('0+'),
    host: string('0+'),
    port: int32('0+'),
    rack: string('0+', { nullable: '0+', default: null }),
  }),
  clusterAuthorizedOperations: int32('0+', { default: UNKNOWN_OPERATIONS }),
};

const BROKERS = 1;
const CONTROLLERS = 2;

/** Says which brokers there are. Controllers are not reached by clients, so they are not told of. */
export const describeCluster: Api = api(
  { key: 60, name: 'DescribeCluster', versions: '0-1', flexible: '0+', request, response },
  async ({ endpointType }, { broker, endpoints }) => {
    const row = rowOf(endpointType);
    return {
      throttleTimeMs: 0,
      errorCode: row.code,
      errorMessage: textOf(row),
      endpointType,
      clusterId: broker.clusterId,
      controllerId: broker.controllerId,
      brokers: endpoints()
        .map(brokerOf)
        .map(({ nodeId, ...rest }) => ({ brokerId: nodeId, ...rest })),
      clusterAuthorizedOperations: UNKNOWN_OPERATIONS,
    };
  },
);

function rowOf(endpointType: number): ErrorRow {
  if (endpointType === BROKERS) return Errors.NONE;
  return endpointType === CONTROLLERS
    ? Errors.MISMATCHED_ENDPOINT_TYPE
    : Errors.UNSUPPORTED_ENDPOINT_TYPE;
}
