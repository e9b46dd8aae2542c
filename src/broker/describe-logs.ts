import type { LogDirectory } from '../log/log-directory.ts';
import { type ErrorRow, Errors } from '../model/errors.ts';
import type { TopicPartition } from '../model/ids.ts';

/** A data directory of this broker. */
export interface LogDirDescription {
  readonly path: string;
  readonly row: ErrorRow;
  /** None if the directory is out of service. */
  readonly partitions: readonly PartitionSize[];
}

export interface PartitionSize extends TopicPartition {
  /** Of all segments, with what is on its way to the disk; without indexes. */
  readonly sizeInBytes: number;
}

/** The data directories of this broker, of which there is one, and what is in them. */
export function describeLogDirs(logs: LogDirectory): LogDirDescription[] {
  const { path, failure } = logs;
  if (failure !== null) return [{ path, row: Errors.KAFKA_STORAGE_ERROR, partitions: [] }];
  const partitions = Array.from(logs.logs(), ({ topicPartition, sizeInBytes }) => ({
    ...topicPartition,
    sizeInBytes,
  }));
  return [{ path, row: Errors.NONE, partitions }];
}
