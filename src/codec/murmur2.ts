import { assert } from '../model/assert.ts';

const SEED = 0x9747b28c;
const MULTIPLIER = 0x5bd1e995;

/** MurmurHash2 of 32 bits with Kafka's seed, as a signed number (Kafka `Utils.murmur2`). */
export function murmur2(bytes: Uint8Array): number {
  const length = bytes.length;
  const wordsEnd = length - (length % 4);
  let hash = SEED ^ length;
  for (let at = 0; at < wordsEnd; at += 4) {
    const word =
      bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    const mixed = Math.imul(word, MULTIPLIER);
    hash = Math.imul(hash, MULTIPLIER) ^ Math.imul(mixed ^ (mixed >>> 24), MULTIPLIER);
  }
  if (wordsEnd < length) {
    let tail = 0;
    for (let at = length - 1; at >= wordsEnd; at--) tail = (tail << 8) | bytes[at]!;
    hash = Math.imul(hash ^ tail, MULTIPLIER);
  }
  hash = Math.imul(hash ^ (hash >>> 13), MULTIPLIER);
  return hash ^ (hash >>> 15);
}

/**
 * The partition that every Kafka client with the default Java partitioner picks for a key. The sign
 * bit is cleared, not negated: `Math.abs` would pick other partitions.
 */
export function partitionForKey(key: Uint8Array, partitionCount: number): number {
  assert(partitionCount > 0, 'a topic has at least one partition');
  return (murmur2(key) & 0x7fff_ffff) % partitionCount;
}
