import { CODECS, type Codec } from './features.ts';
import { ask, int8, int32, text } from './raw-request.ts';

/**
 * The codecs of the first batches of partition 0 of a topic, read by a Fetch request of version 4.
 * What a client was told to compress says nothing: some silently do not, when they miss something in
 * the versions that a broker announces.
 */
export async function batchCodecs(server: string, topic: string): Promise<Codec[]> {
  const limits = [int32(-1), int32(1_000), int32(1), int32(MAX_BYTES), int8(0)];
  const partition = [int32(0), Buffer.alloc(8), int32(MAX_BYTES)];
  const topics = [int32(1), text(topic), int32(1), ...partition];
  const answer = await ask(server, 1, 4, [...limits, ...topics]);
  // Throttle time, and the one topic with its one partition.
  let at = 4 + 4;
  at += 2 + answer.readInt16BE(at) + 4 + 4;
  const error = answer.readInt16BE(at);
  if (error !== 0) throw new Error(`the batches of ${topic} cannot be read: error ${error}`);
  at += 2 + 8 + 8;
  // The list of aborted transactions: null or empty.
  at += 4 + Math.max(0, answer.readInt32BE(at)) * 16;
  const end = at + 4 + answer.readInt32BE(at);
  const codecs: Codec[] = [];
  for (let batch = at + 4; batch + 23 <= end; batch += 12 + answer.readInt32BE(batch + 8)) {
    codecs.push(CODECS[answer.readInt16BE(batch + 21) & 7]!);
  }
  return codecs;
}

const MAX_BYTES = 1_000_000;
