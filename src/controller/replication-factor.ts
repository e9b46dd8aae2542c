import type { ControllerConfig } from './controller-config.ts';
import { type Refusal, refuse } from './refusal.ts';

/** There is no replication yet: what is said to be on two brokers must not be on one. */
const MAX_REPLICATION_FACTOR = 1;

export const defaultReplicationFactor = (
  { defaultReplicationFactor: wanted }: ControllerConfig,
  activeBrokers: number,
): number => Math.max(1, Math.min(wanted, activeBrokers, MAX_REPLICATION_FACTOR));

/** How many replicas the partitions of a topic can have. */
export function checkReplicationFactor(name: string, factor: number): Refusal | null {
  if (Number.isSafeInteger(factor) && factor >= 1 && factor <= MAX_REPLICATION_FACTOR) return null;
  const why =
    factor > MAX_REPLICATION_FACTOR ? 'this version does not replicate yet; give 1' : 'give 1';
  const detail = `topic "${name}" cannot have replication factor ${factor}: ${why}`;
  return refuse('INVALID_REPLICATION_FACTOR', detail);
}

/** Whether there are brokers in service for all replicas of a new partition. */
export function checkActiveBrokers(name: string, factor: number, active: number): Refusal | null {
  if (active >= factor) return null;
  const replicas = factor === 1 ? 'a replica' : `${factor} replicas`;
  const brokers = active === 1 ? '1 broker is' : `${active === 0 ? 'no' : active} brokers are`;
  const detail = `topic "${name}" needs ${replicas} of each partition, and ${brokers} in service`;
  return refuse('INVALID_REPLICATION_FACTOR', detail);
}
