import { connect } from '../../src/client/main.ts';
import { residentBytes } from '../run/resident.ts';
import type { ClusterNodes } from './nodes.ts';

export interface ManyTopicsResult {
  readonly topics: number;
  readonly partitions: number;
  readonly seconds: number;
  /** The longest pause between two answers while they were made. */
  readonly longestPauseMs: number;
  /** From the death of the active controller to the next topic made, with all those there. */
  readonly failoverMs: number;
  /** From the start of a node that was stopped in order, to when it serves. */
  readonly startMs: number;
  readonly startAfterKillMs: number;
  /** Resident memory of all nodes, before and after. */
  readonly residentBefore: number;
  readonly residentAfter: number;
}

const AT_A_TIME = 16;
const SETTLE_MS = 5_000;

/** Makes many topics, and looks at what a cluster costs that has them. */
export async function manyTopics(
  nodes: ClusterNodes,
  topics: number,
  partitionCount: number,
): Promise<ManyTopicsResult> {
  const client = await connect({ brokers: nodes.ids.map((id) => nodes.address(id)) });
  await delay(SETTLE_MS);
  const residentBefore = resident(nodes);
  const startedMs = performance.now();
  let next = 0;
  let lastMs = startedMs;
  let longestPauseMs = 0;
  const one = async (): Promise<void> => {
    while (next < topics) {
      await client.admin().createTopic({ name: `many-${next++}`, partitionCount });
      const nowMs = performance.now();
      longestPauseMs = Math.max(longestPauseMs, nowMs - lastMs);
      lastMs = nowMs;
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, one));
  const seconds = (performance.now() - startedMs) / 1000;
  await delay(SETTLE_MS);
  const residentAfter = resident(nodes);

  const { controllerId } = await client.admin().describeCluster();
  const [other] = nodes.ids.filter((id) => id !== controllerId);
  const survivor = await connect({ brokers: [nodes.address(other!)] });
  await survivor.admin().createTopic({ name: 'before' });
  nodes.signal(controllerId, 'SIGKILL');
  const diedMs = performance.now();
  await survivor.admin().createTopic({ name: 'after' });
  const failoverMs = performance.now() - diedMs;
  await delay(SETTLE_MS);
  const startAfterKillMs = await timed(() => nodes.start(controllerId));
  await delay(SETTLE_MS);
  await nodes.end(controllerId, 'SIGTERM');
  const startMs = await timed(() => nodes.start(controllerId));
  await survivor.close();
  await client.close();
  return {
    ...{ topics, partitions: topics * partitionCount, seconds, longestPauseMs },
    ...{ failoverMs, startMs, startAfterKillMs, residentBefore, residentAfter },
  };
}

const resident = (nodes: ClusterNodes): number =>
  nodes.ids.reduce((sum, id) => sum + residentBytes(nodes.pid(id)), 0);

async function timed(work: () => Promise<void>): Promise<number> {
  const beganMs = performance.now();
  await work();
  return performance.now() - beganMs;
}

const delay = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
