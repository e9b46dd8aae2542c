import { setTimeout as sleep } from 'node:timers/promises';
import { ask, int8, int16, int32, text } from './raw-request.ts';

/** Makes topics for a client that cannot, and returns when each of their partitions has a leader. */
export async function makeTopics(
  server: string,
  topics: ReadonlyMap<string, number>,
): Promise<void> {
  if (topics.size === 0) return;
  const each = [...topics].flatMap(([name, partitions]) => [
    ...[text(name), int32(partitions), int16(1), int32(0), int32(0)],
  ]);
  const created = await ask(server, 19, 2, [int32(topics.size), ...each, int32(10_000), int8(0)]);
  // Throttle time, number of topics, and of each the name, the error and its message.
  for (let at = 8; at < created.length; ) {
    at += 2 + created.readInt16BE(at);
    const error = created.readInt16BE(at);
    if (error !== 0) throw new Error(`a topic cannot be created: error ${error}`);
    at += 4 + Math.max(0, created.readInt16BE(at + 2));
  }
  const ends = [...topics].flatMap(([name, partitions]) => [
    ...[text(name), int32(partitions)],
    ...Array.from({ length: partitions }, (_, i) => [int32(i), Buffer.alloc(8, 255)]).flat(),
  ]);
  const request = [int32(-1), int32(topics.size), ...ends];
  for (let attempt = 0; ; attempt++) {
    if (areServed(await ask(server, 2, 1, request))) return;
    if (attempt === 100) throw new Error(`new topics are not served: ${[...topics.keys()]}`);
    await sleep(100);
  }
}

/** Whether an answer to ListOffsets has no error. */
function areServed(answer: Buffer): boolean {
  let at = 4;
  for (let topics = answer.readInt32BE(0); topics > 0; topics--) {
    at += 2 + answer.readInt16BE(at);
    let partitions = answer.readInt32BE(at);
    for (at += 4; partitions > 0; partitions--, at += 22) {
      if (answer.readInt16BE(at + 4) !== 0) return false;
    }
  }
  return true;
}
