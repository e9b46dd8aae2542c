import { assert } from '../model/assert.ts';
import type { NodeId } from '../model/ids.ts';

export interface PlacementBroker {
  readonly nodeId: NodeId;
  /** Empty if the broker has none: it then stands for a rack of its own. */
  readonly rack: string;
}

export interface PlacementRequest {
  readonly brokers: readonly PlacementBroker[];
  readonly partitionCount: number;
  /** At most the number of brokers. */
  readonly replicationFactor: number;
  /** Which broker, in order of their ids, leads the first partition; any whole number from 0. */
  readonly start: number;
}

/**
 * The replicas of new partitions, the preferred leader first. Leaders go round the brokers. Every
 * further replica goes to a rack that the partition does not use yet, as long as there is one
 * (DESIGN D13), there to the broker with the fewest replicas of this request; equals take turns, so
 * that when a broker fails its leaderships do not all move to one other.
 */
export function placeReplicas(request: PlacementRequest): NodeId[][] {
  const { partitionCount, replicationFactor, start } = request;
  const brokers = request.brokers.toSorted((a, b) => a.nodeId - b.nodeId);
  assert(replicationFactor <= brokers.length, 'there is a broker for every replica');
  const loads = new Map<PlacementBroker, number>(brokers.map((broker) => [broker, 0]));
  const placed: NodeId[][] = [];
  for (let partition = 0; partition < partitionCount; partition++) {
    const [leader, ...others] = rotated(brokers, start + partition);
    const round = Math.floor(partition / brokers.length);
    const replicas = [leader!];
    while (replicas.length < replicationFactor) {
      replicas.push(nextReplica(replicas, rotated(others, round), loads));
    }
    for (const broker of replicas) loads.set(broker, loads.get(broker)! + 1);
    placed.push(replicas.map((broker) => broker.nodeId));
  }
  return placed;
}

function nextReplica(
  replicas: readonly PlacementBroker[],
  others: readonly PlacementBroker[],
  loads: ReadonlyMap<PlacementBroker, number>,
): PlacementBroker {
  const rest = others.filter((broker) => !replicas.includes(broker));
  const apart = rest.filter((broker) => !replicas.some((other) => shareRack(broker, other)));
  const candidates = apart.length > 0 ? apart : rest;
  let best = candidates[0]!;
  for (const broker of candidates) if (loads.get(broker)! < loads.get(best)!) best = broker;
  return best;
}

/** The same brokers, beginning with another one. */
function rotated(brokers: readonly PlacementBroker[], by: number): PlacementBroker[] {
  const at = by % Math.max(brokers.length, 1);
  return [...brokers.slice(at), ...brokers.slice(0, at)];
}

const shareRack = (a: PlacementBroker, b: PlacementBroker): boolean =>
  a.rack !== '' && a.rack === b.rack;
