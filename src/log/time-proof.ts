import type { Offset } from '../model/ids.ts';
import { MisledError } from './disk-health.ts';
import type { Segment } from './segment.ts';
import type { OpenSegment } from './segment-readers.ts';
import { SegmentSurvey } from './segment-survey.ts';

/**
 * What the time index of a segment says, proved by the batches (DESIGN D19): its file has no
 * checksum, and retention deletes by it. Timestamps of entries only rise, so an entry that is the
 * largest timestamp of its own batch is right about all batches before it.
 *
 * Both throw `MisledError` if the index is not right, and `CorruptError` for bytes that are no batches.
 */

/** The largest timestamp of a segment, -1 if it has none. */
export async function maxTimestampOf(open: OpenSegment, segment: Segment): Promise<number> {
  const { indexes } = open;
  // Those in memory were made from the batches.
  if (segment.indexes !== null || indexes.isTimeProved) return indexes.maxTimestampMs;
  const last = indexes.times.count - 1;
  const lastMs = last < 0 ? -1 : indexes.times.timestampAt(last);
  const survey = surveyFrom(
    open,
    segment,
    last < 0 ? segment.baseOffset : indexes.times.offsetAt(last),
  );
  let isFound = last < 0;
  while (await survey.fill()) {
    for (let batch = survey.next(); batch !== null; batch = survey.next()) {
      isFound ||= isEntry(open, last, batch.lastOffset, batch.maxTimestamp);
      if (isFound && batch.maxTimestamp > lastMs) throw misled(segment, 'its end');
    }
  }
  if (!isFound) throw misled(segment, `entry ${last}`);
  indexes.isTimeProved = true;
  return indexes.maxTimestampMs;
}

/** Where the search for a record of that time or later begins; `undefined` if there is none. */
export async function provedSearchFrom(
  open: OpenSegment,
  segment: Segment,
  timestampMs: number,
): Promise<Offset | undefined> {
  await maxTimestampOf(open, segment);
  const from = open.indexes.searchFrom(timestampMs);
  const entry = open.indexes.times.lower(timestampMs);
  if (from !== undefined && entry >= 0 && segment.indexes === null) {
    await proveEntry(open, segment, entry);
  }
  return from;
}

async function proveEntry(open: OpenSegment, segment: Segment, entry: number): Promise<void> {
  const target = open.indexes.times.offsetAt(entry);
  const survey = surveyFrom(open, segment, target);
  while (await survey.fill()) {
    for (let batch = survey.next(); batch !== null; batch = survey.next()) {
      if (isEntry(open, entry, batch.lastOffset, batch.maxTimestamp)) return;
      if (batch.lastOffset >= target) throw misled(segment, `entry ${entry}`);
    }
  }
  throw misled(segment, `entry ${entry}`);
}

const isEntry = (
  { indexes: { times } }: OpenSegment,
  entry: number,
  lastOffset: Offset,
  maxTimestampMs: number,
): boolean => times.offsetAt(entry) === lastOffset && times.timestampAt(entry) === maxTimestampMs;

function surveyFrom(
  { file, indexes }: OpenSegment,
  segment: Segment,
  target: Offset,
): SegmentSurvey {
  const from = indexes.floorPosition(target);
  return new SegmentSurvey(file, {
    ...{ from, to: segment.sizeInBytes, endOffset: segment.endOffset, epochs: null },
    nextOffset: segment.baseOffset,
    ...(from === 0 ? {} : { isFirst: ({ lastOffset }) => indexes.agreesWith(from, lastOffset) }),
  });
}

const misled = (segment: Segment, what: string): MisledError =>
  new MisledError(`${segment.path('.timeindex')}: ${what} does not agree with the batches`);
