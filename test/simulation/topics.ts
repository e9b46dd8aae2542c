import type { SimulatedRandom } from './env/simulated-random.ts';
import type { SimulatedTopic } from './history.ts';

/** A topic that lives as long as the run, and what its owner does to it. */
export interface LastingTopic {
  readonly topic: SimulatedTopic;
  readonly partitionCount: number;
  readonly configs: ReadonlyMap<string, string>;
  readonly changes: readonly TopicChange[];
}

export type TopicChange = 'settings' | 'partitions' | 'delete records';

/** The smallest that is allowed, so that segments are closed all the time. */
const SMALL_SEGMENT_BYTES = 16 * 1024;

/** Some of the kinds of topics that behave differently on disk; always one that is plain. */
export function drawTopics(random: SimulatedRandom): LastingTopic[] {
  const kinds = [replicated, aging, capped, trimmed, growing, stamped, narrow];
  const others = kinds.filter(() => random.chance(0.5));
  return [plain, ...others].map((draw) => draw(random));
}

/** Keeps everything. */
const plain = (random: SimulatedRandom): LastingTopic =>
  lasting('plain', random, { changes: ['settings'] });

/** What is acknowledged may go in a power cut, but not in a crash of the process. */
const replicated = (random: SimulatedRandom): LastingTopic =>
  lasting('replicated', random, { durability: 'replicated' });

/** Loses segments by age. */
function aging(random: SimulatedRandom): LastingTopic {
  const afterMs = random.pick([400, 1500, 5000]);
  const configs = { 'retention.ms': String(afterMs), 'segment.ms': String(random.pick([50, 300])) };
  return lasting('aging', random, { expiry: { afterMs }, configs });
}

/** Loses segments by size. */
function capped(random: SimulatedRandom): LastingTopic {
  const beyondBytes = random.pick([20_000, 60_000]);
  const configs = { 'retention.bytes': String(beyondBytes) };
  return lasting('capped', random, { expiry: { beyondBytes }, configs });
}

/** Loses records on request. */
const trimmed = (random: SimulatedRandom): LastingTopic =>
  lasting('trimmed', random, { changes: ['delete records', 'settings'] });

/** Gets more partitions. */
const growing = (random: SimulatedRandom): LastingTopic =>
  lasting('growing', random, { changes: ['partitions', 'settings'] });

/** Its batches are written into by the broker. */
const stamped = (random: SimulatedRandom): LastingTopic =>
  lasting('stamped', random, {
    hasAppendTime: true,
    configs: { 'message.timestamp.type': 'LogAppendTime' },
  });

/** Takes only small batches: producers have to split theirs, and some records fit into none. */
const narrow = (random: SimulatedRandom): LastingTopic =>
  lasting('narrow', random, {
    configs: { 'max.message.bytes': String(random.pick([1000, 3000, 6000])) },
  });

interface Kind extends Partial<Omit<SimulatedTopic, 'key' | 'name'>> {
  readonly configs?: Readonly<Record<string, string>>;
  readonly changes?: readonly TopicChange[];
}

function lasting(name: string, random: SimulatedRandom, kind: Kind): LastingTopic {
  const { durability = 'durable', expiry = 'never', hasAppendTime = false, changes = [] } = kind;
  const segmentBytes = random.chance(0.7) || expiry !== 'never' ? SMALL_SEGMENT_BYTES : 2 ** 30;
  return {
    topic: { key: name, name, durability, expiry, hasAppendTime },
    partitionCount: random.between(1, 2),
    changes,
    configs: new Map(
      Object.entries({
        durability,
        'segment.bytes': String(segmentBytes),
        'index.interval.bytes': String(random.pick([0, 512, 4096])),
        ...kind.configs,
      }),
    ),
  };
}
