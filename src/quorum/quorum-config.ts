import { type SettingGroup, setting } from '../config/setting.ts';
import { DEFAULT_RAFT_CONFIG, type RaftConfig } from '../raft/raft-config.ts';

/** Settings of the quorum. */
export interface QuorumConfig extends QuorumTiming {
  readonly snapshotIntervalEntries: number;
}

/** Of no matter while there is one voter. */
export interface QuorumTiming {
  readonly electionTimeoutMs: number;
  readonly heartbeatIntervalMs: number;
}

/** What is no matter of time. */
export type RaftLimits = Partial<Omit<RaftConfig, 'electionTicks' | 'heartbeatTicks'>>;

export const DEFAULT_TIMING: QuorumTiming = { electionTimeoutMs: 500, heartbeatIntervalMs: 100 };

export const quorumSettings: SettingGroup<QuorumConfig> = {
  snapshotIntervalEntries: setting.int({
    key: 'metadata.snapshot.interval.entries',
    default: 10_000,
    min: 1,
    doc: 'After this many changes of the metadata a snapshot takes their place on disk. A start reads at most about as many.',
  }),
  electionTimeoutMs: setting.ms({
    key: 'controller.quorum.election.timeout.ms',
    default: DEFAULT_TIMING.electionTimeoutMs,
    min: 10,
    max: 2 ** 31 - 1,
    doc: 'A voter that hears of no leader for this long, or by chance up to twice as long, asks to be elected. The same on all voters.',
  }),
  heartbeatIntervalMs: setting.ms({
    key: 'controller.quorum.heartbeat.interval.ms',
    default: DEFAULT_TIMING.heartbeatIntervalMs,
    min: 1,
    max: 2 ** 30,
    doc: 'How often the leader of the metadata quorum tells the others that it is there. At most half of the election timeout counts.',
  }),
};

/** By so many parts of a heartbeat interval election timeouts differ. */
const HEARTBEAT_TICKS = 2;

/** How long a tick is, and how many make what. */
export function raftTiming({ electionTimeoutMs, heartbeatIntervalMs }: QuorumTiming): {
  readonly tickMs: number;
  readonly raft: RaftConfig;
} {
  const intervalMs = Math.min(heartbeatIntervalMs, electionTimeoutMs / 2);
  const tickMs = intervalMs / HEARTBEAT_TICKS;
  const electionTicks = Math.ceil(electionTimeoutMs / tickMs);
  return {
    tickMs,
    raft: { ...DEFAULT_RAFT_CONFIG, electionTicks, heartbeatTicks: HEARTBEAT_TICKS },
  };
}
