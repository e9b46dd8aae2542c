import type { CpuProfile } from '../../../../bench/profile/cpu-profile.ts';

const frame = (functionName: string, url = '', lineNumber = -1) => ({
  functionName,
  url,
  lineNumber,
});

/**
 * A main that calls `append`, which calls itself once: samples every ms from 1,000 µs on:
 * main, append, append in append, collector, idle, main.
 */
export const profile: CpuProfile = {
  startTime: 0,
  nodes: [
    { id: 1, callFrame: frame('(root)'), children: [2, 5, 6] },
    { id: 2, callFrame: frame('', 'file:///repo/src/cli/main.ts', 9), children: [3] },
    { id: 3, callFrame: frame('append', 'file:///repo/src/log/log.ts', 41), children: [4] },
    { id: 4, callFrame: frame('append', 'file:///repo/src/log/log.ts', 41) },
    { id: 5, callFrame: frame('(garbage collector)') },
    { id: 6, callFrame: frame('(idle)') },
  ],
  samples: [2, 3, 4, 5, 6, 2, 2],
  timeDeltas: [1_000, 1_000, 1_000, 1_000, 1_000, 1_000, 1_000],
};
