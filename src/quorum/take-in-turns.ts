import type { Timers } from '../env/ports.ts';

/** As much as is made in one turn of the event loop: some milliseconds. */
const TURN_BYTES = 64 * 1024;

/**
 * Takes records that are made while they are taken, some at a time, with turns for others between.
 * `undefined` as soon as nobody wants them any more.
 */
export async function takeInTurns(
  records: Iterable<Uint8Array>,
  timers: Timers,
  isWanted: () => boolean,
): Promise<Uint8Array[] | undefined> {
  const taken: Uint8Array[] = [];
  let bytes = 0;
  for (const record of records) {
    taken.push(record);
    bytes += record.length;
    if (bytes < TURN_BYTES) continue;
    bytes = 0;
    await new Promise<void>((resolve) => {
      timers.nextTurn(resolve);
    });
    if (!isWanted()) return undefined;
  }
  return taken;
}
