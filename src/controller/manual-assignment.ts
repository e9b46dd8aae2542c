import { isActive, type MetadataImage } from '../metadata/image.ts';
import type { NodeId } from '../model/ids.ts';
import { type Refusal, refuse } from './refusal.ts';
import { checkReplicationFactor } from './replication-factor.ts';

/** A list from outside may be of any length. */
const MAX_SHOWN = 32;

/** Where the replicas of one new partition are to be, the preferred leader first. */
export interface ReplicaAssignment {
  readonly partition: number;
  /** Node ids of brokers. */
  readonly replicas: readonly number[];
}

/**
 * The replicas of the partitions of a new topic as a request places them, in order of the partitions;
 * errors as in Kafka's `ReplicationControlManager`.
 */
export function assignReplicas(
  image: MetadataImage,
  name: string,
  assignments: readonly ReplicaAssignment[],
): readonly (readonly NodeId[])[] | Refusal {
  const byPartition = new Map<number, readonly number[]>();
  for (const { partition, replicas } of assignments) {
    if (byPartition.has(partition)) return invalid(`partition ${partition} is assigned twice`);
    byPartition.set(partition, replicas);
  }
  const inOrder: (readonly number[])[] = [];
  for (let partition = 0; partition < assignments.length; partition++) {
    const replicas = byPartition.get(partition);
    if (replicas === undefined) {
      return invalid(
        `partition ${partition} is not assigned; partitions are numbered from 0 without gaps`,
      );
    }
    inOrder.push(replicas);
  }
  const placed = checkReplicas(image, inOrder, inOrder[0]?.length ?? 0);
  if ('row' in placed) return placed;
  return checkReplicationFactor(name, placed[0]?.length ?? 1) ?? placed;
}

/** Refuses replicas that cannot be where they are assigned; every partition has `replicationFactor`. */
export function checkReplicas(
  image: MetadataImage,
  assigned: readonly (readonly number[])[],
  replicationFactor: number,
): readonly (readonly NodeId[])[] | Refusal {
  for (const replicas of assigned) {
    const shown = `replicas ${JSON.stringify(replicas.slice(0, MAX_SHOWN))}`;
    if (replicas.length === 0)
      return invalid('a partition is assigned no replica, give one or more');
    const unknown = replicas.find((id) => !image.brokers.has(id as NodeId));
    if (unknown !== undefined) return invalid(`${shown}: there is no broker ${unknown}`);
    if (new Set(replicas).size < replicas.length) {
      return invalid(`${shown}: a broker can hold one replica of a partition`);
    }
    if (replicas.length !== replicationFactor) {
      return invalid(`${shown} are ${replicas.length}, other partitions have ${replicationFactor}`);
    }
    // As in Kafka: a partition that nobody can lead is not begun.
    if (!replicas.some((id) => isActive(image.brokers.get(id as NodeId)))) {
      return invalid(`${shown}: none of these brokers is in service`);
    }
  }
  return assigned as readonly (readonly NodeId[])[];
}

const invalid = (detail: string): Refusal => refuse('INVALID_REPLICA_ASSIGNMENT', detail);
