import { randomBytes } from 'node:crypto';
import type { PortableRecord } from '../../records.ts';

/** Records of 10 KB that do not compress, so that segments fill whatever the codec; one a millisecond. */
export function randomRecords(count: number, partitions: number): PortableRecord[] {
  const beganMs = Date.now();
  return Array.from({ length: count }, (_, at) => ({
    partition: at % partitions,
    key: randomBytes(8).toString('base64'),
    value: randomBytes(10_000).toString('base64'),
    headers: [],
    timestampMs: beganMs + at,
  }));
}
