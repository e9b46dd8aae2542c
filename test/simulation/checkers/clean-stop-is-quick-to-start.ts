import type { History } from '../history.ts';

/** After a clean stop nothing is scanned, even if the power was cut after it. */
export function cleanStopIsQuickToStart(history: History): string[] {
  return history.lives
    .filter(({ followsCleanStop, recoveredLogs }) => followsCleanStop && recoveredLogs > 0)
    .map(
      ({ number, recoveredLogs }) =>
        `life ${number} recovered ${recoveredLogs} logs after a clean stop`,
    );
}
