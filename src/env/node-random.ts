import { randomFillSync, randomInt } from 'node:crypto';
import type { Random } from './ports.ts';

/** Unpredictable numbers from the operating system. */
export class NodeRandom implements Random {
  uint32(): number {
    return randomInt(0x1_0000_0000);
  }

  bytes(count: number): Uint8Array {
    return randomFillSync(new Uint8Array(count));
  }
}
