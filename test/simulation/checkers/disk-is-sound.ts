import type { History } from '../history.ts';

/**
 * D1, D5 and the marks: after every power cut all is on the disk that the marks vouch for, and after
 * a clean stop every file is sound and nothing of deleted topics is left. `disk-inspection.ts` says
 * what that is.
 */
export function diskIsSound(history: History): string[] {
  return history.findings;
}
