import { setTimeout as sleep } from 'node:timers/promises';
import { ask, int8, int16, int32, text } from './raw-request.ts';

const METADATA = 3;
const CREATE_TOPICS = 19;

/**
 * Makes topics for a client that cannot; `topics` are their numbers of partitions. Returns, when each of their
 * partitions has a leader, the addresses of those of partition 0.
 */
export async function makeTopics(
  server: string,
  topics: ReadonlyMap<string, number>,
): Promise<ReadonlyMap<string, string>> {
  if (topics.size === 0) return new Map();
  await create(server, topics);
  const request = [int32(topics.size), ...[...topics.keys()].map(text)];
  for (let attempt = 0; ; attempt++) {
    const leaders = leadersIn(await ask(server, METADATA, 1, request));
    if (leaders.size === topics.size) return leaders;
    if (attempt === 100) throw new Error(`new topics are not led: ${[...topics.keys()]}`);
    await sleep(100);
  }
}

async function create(server: string, topics: ReadonlyMap<string, number>): Promise<void> {
  const each = [...topics].flatMap(([name, partitions]) => [
    ...[text(name), int32(partitions), int16(1), int32(0), int32(0)],
  ]);
  const request = [int32(topics.size), ...each, int32(10_000), int8(0)];
  const created = await ask(server, CREATE_TOPICS, 2, request);
  // Throttle time, number of topics, and of each the name, the error and its message.
  for (let at = 8; at < created.length; ) {
    at += 2 + created.readInt16BE(at);
    const error = created.readInt16BE(at);
    if (error !== 0) throw new Error(`a topic cannot be created: error ${error}`);
    at += 4 + Math.max(0, created.readInt16BE(at + 2));
  }
}

/** The addresses of the leaders of partition 0, by an answer to Metadata 1; only of topics that are led as a whole. */
function leadersIn(answer: Buffer): Map<string, string> {
  let at = 0;
  const number = (bytes: 1 | 2 | 4): number => {
    at += bytes;
    return answer.readIntBE(at - bytes, bytes);
  };
  const name = (): string => {
    const length = Math.max(0, number(2));
    at += length;
    return answer.toString('utf8', at - length, at);
  };
  const list = <T>(item: () => T): T[] => Array.from({ length: number(4) }, item);
  const addresses = new Map(
    list(() => {
      const broker = [number(4), `${name()}:${number(4)}`] as const;
      name();
      return broker;
    }),
  );
  number(4);
  const leaders = new Map<string, string>();
  list(() => {
    number(2);
    const topic = name();
    number(1);
    const partitions = list(() => {
      number(2);
      const partition = [number(4), addresses.get(number(4))] as const;
      list(() => number(4));
      list(() => number(4));
      return partition;
    });
    const [first] = partitions.toSorted((a, b) => a[0] - b[0]);
    const isLed = partitions.every(([, address]) => address !== undefined);
    if (isLed && first !== undefined) leaders.set(topic, first[1]!);
  });
  return leaders;
}
