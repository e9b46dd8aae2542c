/**
 * What became of an operation. `failed`: it certainly changed nothing; `unknown`: it may have been
 * done, once, at any time since. A wrong class makes the checkers lie.
 */
export type Outcome = 'pending' | 'ok' | 'failed' | 'unknown';

/** How long records of a topic must be there, beside what somebody asked to be deleted. */
export type Expiry = 'never' | { readonly afterMs: number } | { readonly beyondBytes: number };

/**
 * A topic from its making to its end. `key` tells it from older and later topics of the same name.
 */
export interface SimulatedTopic {
  readonly key: string;
  readonly name: string;
  readonly durability: 'durable' | 'replicated';
  readonly expiry: Expiry;
  /** Records get the time of the append. */
  readonly hasAppendTime: boolean;
}

export interface Send {
  readonly id: number;
  readonly producer: string;
  readonly topic: string;
  readonly recordKey: string | null;
  readonly bytes: number;
  readonly timestampMs: number;
  readonly invokedMs: number;
  outcome: Outcome;
  settledMs: number;
  /** `History.era` when it was settled. */
  era: number;
  /** -1 unless the outcome is `ok`. */
  partition: number;
  offset: number;
  /** Code of the error, if there was one. */
  error: string;
}

/** A record that a consumer got. */
export interface Read {
  /** Each consumer has a name of its own. */
  readonly reader: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** The send that its value is of; -1 if it is of none. */
  readonly sendId: number;
  /** Key, value and timestamp are those that were sent. */
  readonly isIntact: boolean;
  readonly atMs: number;
  /** `History.era` when it came. */
  readonly era: number;
}

/** What the broker said of a partition; the marks of one partition were asked for one after another. */
export interface Mark {
  readonly topic: string;
  readonly partition: number;
  readonly kind: 'start' | 'end';
  readonly offset: number;
  readonly invokedMs: number;
  readonly era: number;
}

export interface Deletion {
  readonly topic: string;
  readonly partition: number;
  readonly beforeOffset: number;
  outcome: Outcome;
}

/** Topic as its only owner knows it to be; `undefined`: there is none of that name. */
export interface TopicFacts {
  readonly partitionCount: number;
  readonly configs: ReadonlyMap<string, string>;
}

/** What the broker answered when nobody was changing the topic. */
export interface Description {
  readonly topic: string;
  readonly name: string;
  readonly expected: TopicFacts | undefined;
  readonly found: FoundTopic | undefined;
  readonly atMs: number;
}

export interface FoundTopic extends TopicFacts {
  readonly topicId: string;
  readonly leaderEpochs: readonly number[];
}

/** One life of the broker. */
export interface Life {
  readonly number: number;
  /** The life before was ended by a clean stop that was done. */
  readonly followsCleanStop: boolean;
  /** Logs that were walked through at the start. */
  recoveredLogs: number;
  end: string;
}

/** A partition at the end of the run, read from its start to its end by a consumer of its own. */
export interface FinalLog {
  readonly topic: string;
  readonly partition: number;
  readonly startOffset: number;
  readonly endOffset: number;
  readonly wallMs: number;
  /** In the order in which they came. */
  readonly reads: readonly Read[];
}

/** Everything that happened in a run, as those saw it who used the broker. Checkers look at nothing else. */
export class History {
  readonly topics: Map<string, SimulatedTopic> = new Map();
  readonly sends: Send[] = [];
  readonly reads: Read[] = [];
  readonly marks: Mark[] = [];
  readonly deletions: Deletion[] = [];
  readonly descriptions: Description[] = [];
  /** As they left the broker. */
  readonly producerIds: number[] = [];
  readonly lives: Life[] = [];
  readonly finalLogs: FinalLog[] = [];
  /** What the broker reports and never should after any crash, and starts that it refused. */
  readonly complaints: string[] = [];
  /** What is wrong on the disk. */
  readonly findings: string[] = [];
  /** Administrative changes that were acknowledged. */
  changes = 0;
  powerCuts = 0;
  processCrashes = 0;
  cleanStops = 0;
  /** Lives in which something went wrong with the disk. */
  faults = 0;
  /** Of those, lives that the broker ended itself, because of it. */
  faultyEnds = 0;
  /** Power cuts that may have taken something: not those after a clean stop, which leaves all on disk. */
  era = 0;

  topicOf(event: { readonly topic: string }): SimulatedTopic {
    const topic = this.topics.get(event.topic);
    if (topic === undefined) throw new Error(`the history has no topic ${event.topic}`);
    return topic;
  }

  /** Whether what was true in that era has to be true still. */
  isBinding(event: { readonly topic: string; readonly era: number }): boolean {
    return this.topicOf(event).durability === 'durable' || event.era === this.era;
  }

  get acknowledged(): number {
    return this.sends.reduce((count, { outcome }) => count + (outcome === 'ok' ? 1 : 0), 0);
  }
}

/** Groups events by topic and partition, each group in the order of the events. */
export function byPartition<T extends { readonly topic: string; readonly partition: number }>(
  events: Iterable<T>,
): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const event of events) {
    const name = partitionOf(event);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [event]);
    else group.push(event);
  }
  return groups;
}

export const partitionOf = (event: {
  readonly topic: string;
  readonly partition: number;
}): string => `${event.topic}/${event.partition}`;
