/** Names of the gRPC status codes that an outcome of ours can be answered with. */
export type GrpcStatusName =
  | 'OK'
  | 'INVALID_ARGUMENT'
  | 'NOT_FOUND'
  | 'ALREADY_EXISTS'
  | 'FAILED_PRECONDITION'
  | 'OUT_OF_RANGE'
  | 'ABORTED'
  | 'RESOURCE_EXHAUSTED'
  | 'UNAVAILABLE'
  | 'DEADLINE_EXCEEDED'
  | 'PERMISSION_DENIED'
  | 'UNAUTHENTICATED'
  | 'UNIMPLEMENTED'
  | 'DATA_LOSS'
  | 'INTERNAL';

/** One outcome that a peer can be told about: the only place that pairs codes, names and advice. */
export interface ErrorRow {
  /** Kafka's number where Kafka has the error; our own from 10000. 0 is "no error". */
  readonly code: number;
  readonly name: string;
  /** True if the same request can succeed later, perhaps after refreshing metadata. */
  readonly retriable: boolean;
  readonly grpc: GrpcStatusName;
  readonly message: string;
}

type Row = readonly [code: number, retriable: boolean, grpc: GrpcStatusName, message: string];

const RETRY = true;
const FINAL = false;

/**
 * The error table (Kafka's `Errors.java` for codes below 10000). Protocol outcomes are values from
 * this table; exceptions are for disk, network and corrupt bytes (DESIGN D14).
 */
// biome-ignore format: a table, a row a line
const rows = {
  UNKNOWN_SERVER_ERROR: [-1, FINAL, 'INTERNAL', 'the broker met an error it did not expect'] as Row,
  NONE: [0, FINAL, 'OK', 'no error'] as Row,
  OFFSET_OUT_OF_RANGE: [1, FINAL, 'OUT_OF_RANGE', 'the offset is outside what the partition holds'] as Row,
  CORRUPT_MESSAGE: [2, RETRY, 'DATA_LOSS', 'a record batch fails its checksum or is malformed'] as Row,
  UNKNOWN_TOPIC_OR_PARTITION: [3, RETRY, 'NOT_FOUND', 'this cluster has no such topic or partition'] as Row,
  LEADER_NOT_AVAILABLE: [5, RETRY, 'UNAVAILABLE', 'the partition has no leader at the moment'] as Row,
  NOT_LEADER_OR_FOLLOWER: [6, RETRY, 'FAILED_PRECONDITION', 'this broker does not lead the partition'] as Row,
  REQUEST_TIMED_OUT: [7, RETRY, 'DEADLINE_EXCEEDED', 'the request was not done within its time'] as Row,
  REPLICA_NOT_AVAILABLE: [9, RETRY, 'UNAVAILABLE', 'the broker has no replica of the partition at the moment'] as Row,
  MESSAGE_TOO_LARGE: [10, FINAL, 'INVALID_ARGUMENT', 'the record batch is larger than the topic allows'] as Row,
  NETWORK_EXCEPTION: [13, RETRY, 'UNAVAILABLE', 'the connection ended before the answer'] as Row,
  INVALID_TOPIC_EXCEPTION: [17, FINAL, 'INVALID_ARGUMENT', 'the topic name is not allowed'] as Row,
  RECORD_LIST_TOO_LARGE: [18, FINAL, 'INVALID_ARGUMENT', 'the batch is larger than a segment'] as Row,
  NOT_ENOUGH_REPLICAS: [19, RETRY, 'UNAVAILABLE', 'fewer replicas are in sync than the topic requires'] as Row,
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: [20, RETRY, 'UNAVAILABLE', 'appended, but too few replicas were in sync to say it will stay'] as Row,
  INVALID_REQUIRED_ACKS: [21, FINAL, 'INVALID_ARGUMENT', 'acks must be all or leader'] as Row,
  TOPIC_AUTHORIZATION_FAILED: [29, FINAL, 'PERMISSION_DENIED', 'not allowed for this topic'] as Row,
  CLUSTER_AUTHORIZATION_FAILED: [31, FINAL, 'PERMISSION_DENIED', 'not allowed for this cluster'] as Row,
  INVALID_TIMESTAMP: [32, FINAL, 'INVALID_ARGUMENT', 'the record timestamp is out of the allowed range'] as Row,
  UNSUPPORTED_VERSION: [35, FINAL, 'UNIMPLEMENTED', 'the broker does not serve that version'] as Row,
  TOPIC_ALREADY_EXISTS: [36, FINAL, 'ALREADY_EXISTS', 'a topic of that name exists'] as Row,
  INVALID_PARTITIONS: [37, FINAL, 'INVALID_ARGUMENT', 'the number of partitions is not valid'] as Row,
  INVALID_REPLICATION_FACTOR: [38, FINAL, 'INVALID_ARGUMENT', 'the replication factor is not valid'] as Row,
  INVALID_REPLICA_ASSIGNMENT: [39, FINAL, 'INVALID_ARGUMENT', 'the replica assignment is not valid'] as Row,
  INVALID_CONFIG: [40, FINAL, 'INVALID_ARGUMENT', 'a setting is unknown or its value is not valid'] as Row,
  NOT_CONTROLLER: [41, RETRY, 'UNAVAILABLE', 'this node is not the active controller'] as Row,
  INVALID_REQUEST: [42, FINAL, 'INVALID_ARGUMENT', 'the request is malformed'] as Row,
  UNSUPPORTED_FOR_MESSAGE_FORMAT: [43, FINAL, 'INVALID_ARGUMENT', 'the record format does not support the request'] as Row,
  POLICY_VIOLATION: [44, FINAL, 'FAILED_PRECONDITION', 'the request breaks a policy of the topic'] as Row,
  OUT_OF_ORDER_SEQUENCE_NUMBER: [45, FINAL, 'FAILED_PRECONDITION', 'the producer skipped or repeated a sequence number'] as Row,
  DUPLICATE_SEQUENCE_NUMBER: [46, FINAL, 'ALREADY_EXISTS', 'the batch was stored before'] as Row,
  INVALID_PRODUCER_EPOCH: [47, FINAL, 'FAILED_PRECONDITION', 'a newer incarnation of the producer has taken over'] as Row,
  INVALID_TXN_STATE: [48, FINAL, 'FAILED_PRECONDITION', 'not valid in this state of the transaction'] as Row,
  SECURITY_DISABLED: [54, FINAL, 'FAILED_PRECONDITION', 'the broker has no rules of access'] as Row,
  KAFKA_STORAGE_ERROR: [56, RETRY, 'UNAVAILABLE', 'the disk of the partition failed and is out of service'] as Row,
  UNKNOWN_PRODUCER_ID: [59, FINAL, 'FAILED_PRECONDITION', 'the broker no longer knows this producer'] as Row,
  FETCH_SESSION_ID_NOT_FOUND: [70, RETRY, 'NOT_FOUND', 'the broker has no such fetch session'] as Row,
  LISTENER_NOT_FOUND: [72, RETRY, 'UNAVAILABLE', 'the leader has no listener of that name'] as Row,
  TOPIC_DELETION_DISABLED: [73, FINAL, 'FAILED_PRECONDITION', 'deleting topics is switched off'] as Row,
  FENCED_LEADER_EPOCH: [74, RETRY, 'FAILED_PRECONDITION', 'the leader epoch of the request is older than the broker’s'] as Row,
  UNKNOWN_LEADER_EPOCH: [75, RETRY, 'UNAVAILABLE', 'the leader epoch of the request is newer than the broker’s'] as Row,
  UNSUPPORTED_COMPRESSION_TYPE: [76, FINAL, 'INVALID_ARGUMENT', 'the compression is not supported'] as Row,
  STALE_BROKER_EPOCH: [77, FINAL, 'FAILED_PRECONDITION', 'the broker epoch is not the current one'] as Row,
  OFFSET_NOT_AVAILABLE: [78, RETRY, 'UNAVAILABLE', 'the leader does not know its high watermark yet'] as Row,
  INVALID_RECORD: [87, FINAL, 'INVALID_ARGUMENT', 'a record of the batch is not valid'] as Row,
  PRODUCER_FENCED: [90, FINAL, 'FAILED_PRECONDITION', 'a newer producer of the same name has taken over'] as Row,
  INVALID_UPDATE_VERSION: [95, FINAL, 'FAILED_PRECONDITION', 'the cluster cannot use that level of the feature'] as Row,
  UNKNOWN_TOPIC_ID: [100, RETRY, 'NOT_FOUND', 'this cluster has no topic of that id'] as Row,
  DUPLICATE_BROKER_REGISTRATION: [101, FINAL, 'ALREADY_EXISTS', 'another broker is alive under that id'] as Row,
  BROKER_ID_NOT_REGISTERED: [102, FINAL, 'NOT_FOUND', 'this cluster has no broker of that id'] as Row,
  INCONSISTENT_TOPIC_ID: [103, RETRY, 'FAILED_PRECONDITION', 'the topic was deleted and made anew'] as Row,
  MISMATCHED_ENDPOINT_TYPE: [114, FINAL, 'INVALID_ARGUMENT', 'controllers are not reached by this listener'] as Row,
  UNSUPPORTED_ENDPOINT_TYPE: [115, FINAL, 'INVALID_ARGUMENT', 'the broker does not tell of endpoints of that type'] as Row,
  VOTER_NOT_FOUND: [127, FINAL, 'NOT_FOUND', 'the metadata quorum has no such member'] as Row,
  BROKER_OVERLOADED: [10000, RETRY, 'RESOURCE_EXHAUSTED', 'the broker holds as many unanswered requests as it may'] as Row,
  REQUEST_TOO_LARGE: [10001, FINAL, 'RESOURCE_EXHAUSTED', 'the request is larger than the broker accepts'] as Row,
  SLOW_READER: [10002, RETRY, 'RESOURCE_EXHAUSTED', 'the stream was ended because its reader stopped reading'] as Row,
  BROKER_STOPPING: [10003, RETRY, 'UNAVAILABLE', 'the broker is shutting down'] as Row,
};

/** Name of a row of the error table. */
export type ErrorName = keyof typeof rows;

/** The error table by name. */
export const Errors: { readonly [name in ErrorName]: ErrorRow } = Object.fromEntries(
  Object.entries(rows).map(([name, [code, retriable, grpc, message]]) => [
    name,
    Object.freeze({ code, name, retriable, grpc, message }),
  ]),
) as { readonly [name in ErrorName]: ErrorRow };

const byCode: ReadonlyMap<number, ErrorRow> = new Map(
  Object.values(Errors).map((row) => [row.code, row]),
);

/** The row of a code; a code from a newer peer that this table lacks is an unknown server error. */
export const errorByCode = (code: number): ErrorRow =>
  byCode.get(code) ?? Errors.UNKNOWN_SERVER_ERROR;

/**
 * A protocol outcome on its way through code that throws (administration, clients). The hot path
 * returns rows instead: a throw with its stack costs a thousand times as much.
 */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly row: ErrorRow;

  /** @param detail what exactly was wrong, with the offending value and what would be right */
  constructor(row: ErrorRow, detail?: string, options?: ErrorOptions) {
    super(detail ?? row.message, options);
    this.row = row;
  }
}
