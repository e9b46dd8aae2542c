import type { LogState } from './log-state.ts';
import type { SurveyRange } from './segment-survey.ts';

/** A segment as far as it is durable. */
export interface ScrubTarget {
  readonly path: string;
  readonly range: SurveyRange;
  /** False when the log was truncated or the segment deleted since: what is read then means nothing. */
  readonly isCurrent: () => boolean;
}

/** What of a log is durable, a segment at a time. */
export function scrubTargets(state: LogState): ScrubTarget[] {
  const { durable, generation, epochs } = state;
  if (durable === null) return [];
  const targets: ScrubTarget[] = [];
  for (const segment of state.segments) {
    const { baseOffset: nextOffset } = segment;
    if (nextOffset > durable.segmentBase) break;
    const isLast = nextOffset === durable.segmentBase;
    const to = isLast ? durable.position : segment.sizeInBytes;
    const endOffset = isLast ? durable.endOffset : segment.endOffset;
    targets.push({
      path: segment.path('.log'),
      range: { from: 0, to, nextOffset, endOffset, epochs },
      isCurrent: () => state.generation === generation && state.segments.includes(segment),
    });
  }
  return targets;
}
