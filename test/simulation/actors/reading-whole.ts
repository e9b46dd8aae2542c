import type { Client } from '../../../src/client/client.ts';
import { VarveError } from '../../../src/client/errors.ts';
import type { Read, SimulatedTopic } from '../history.ts';
import { readToEnd } from './consuming.ts';
import { markPartitions } from './observing.ts';
import { answered, type Scene } from './scene.ts';

/**
 * Reads a whole topic, to which nothing is sent any more, and writes down what it holds. Again, if
 * retention has moved a start meanwhile.
 */
export async function readWhole(
  scene: Scene,
  client: Client,
  topic: SimulatedTopic,
  partitionCount: number,
): Promise<void> {
  const { history, env } = scene;
  for (let attempt = 0; ; attempt++) {
    const before = await marksOf(scene, client, topic, partitionCount);
    const reader = `last reader of ${topic.key} no. ${attempt}`;
    const reads = await answered(scene, () => readToEnd(scene, client, topic, reader)).catch(
      noneIfOutOfRange,
    );
    const after = await marksOf(scene, client, topic, partitionCount);
    if (before.some(({ start }, partition) => start !== after[partition]!.start)) continue;
    for (const [partition, { start, end }] of after.entries()) {
      history.finalLogs.push({
        topic: topic.key,
        partition,
        startOffset: start,
        endOffset: end,
        wallMs: env.clock.wallMs(),
        reads: reads.filter((read) => read.partition === partition),
      });
    }
    return;
  }
}

function noneIfOutOfRange(error: unknown): Read[] {
  if (VarveError.is(error) && error.code === 'OFFSET_OUT_OF_RANGE') return [];
  throw error;
}

async function marksOf(
  scene: Scene,
  client: Client,
  topic: SimulatedTopic,
  partitionCount: number,
): Promise<{ start: number; end: number }[]> {
  const marks: { start: number; end: number }[] = [];
  for (let partition = 0; partition < partitionCount; partition++) {
    marks.push(await markPartitions(scene, client, topic, partition));
  }
  return marks;
}
