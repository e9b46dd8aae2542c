import type { DiskFault } from './env/disk-faults.ts';
import type { SimulatedDisk } from './env/simulated-disk.ts';
import type { SimulatedRandom } from './env/simulated-random.ts';

/** What goes wrong with the disk in one life of the broker: an operation, or space runs out. */
export type LifeFault = DiskFault | { readonly spaceLeft: number };

/** Everything that is not of the metadata store or the logs is read only at the start. */
const ANY = /^\/var\/varve/;
const SEGMENTS = /\.log$/;
const operations = ['write', 'sync', 'syncDirectory', 'rename', 'open', 'truncate'] as const;

/** Draws a fault: mostly one error, of which nobody may assume that it stays or goes. */
export function drawLifeFault(random: SimulatedRandom): LifeFault {
  const operation = random.pick(operations);
  const times = random.pick([1, 1, 3, Number.POSITIVE_INFINITY]);
  const delayMs = random.between(50, 3000);
  return random.pick<LifeFault>([
    { operation, path: ANY, code: 'EIO', times },
    { operation: 'sync', path: SEGMENTS, code: 'EIO', times },
    { operation: random.pick(['syncStore', 'writeStore']), path: ANY, code: 'EIO', times },
    { operation: 'read', path: SEGMENTS, code: 'EIO', times },
    { path: ANY, code: random.pick(['EIO', 'ENOSPC', 'EROFS']), times },
    { spaceLeft: random.below(random.pick([2, 2000, 20_000])) },
    { spaceLeft: random.below(random.pick([2, 2000, 20_000])) },
    {
      operation: random.pick(['sync', 'syncStore', 'syncDirectory']),
      path: ANY,
      delayMs,
      times: 4,
    },
    { operation: random.pick(['sync', 'syncStore', 'write']), path: ANY, isStuck: true },
  ]);
}

/** Lets it happen. From now on until its process ends the broker may fail. */
export function inject(disk: SimulatedDisk, fault: LifeFault): void {
  if ('spaceLeft' in fault) disk.faults.spaceLeft = fault.spaceLeft;
  else disk.plan(fault);
}
