/** A request and its answer as its client saw them; moments count up, no two are equal. */
export interface Request {
  readonly from: number;
  /** Infinity if no answer came: then it may take effect at any time, or never. */
  readonly to: number;
}

/** A register, which is a setting of a topic, is set to a value that no other write has. */
export interface RegisterWrite extends Request {
  readonly register: string;
  readonly value: string;
}

export interface Allocation extends Request {
  readonly first: number;
  readonly count: number;
}

export interface TopicChange extends Request {
  readonly topicId: string;
}

export interface Registration extends Request {
  readonly nodeId: number;
  readonly brokerEpoch: number;
}

/** All that one read has seen. */
export interface Read extends Request {
  /** By register; `null` for one that was never set. */
  readonly values: ReadonlyMap<string, string | null>;
  /** Ids of topics that come and go. */
  readonly topicIds: ReadonlySet<string>;
  readonly nextProducerId: number;
  readonly brokerEpochs: ReadonlyMap<number, number>;
}

/** What the clients of a cluster saw. */
export class History {
  readonly writes: RegisterWrite[] = [];
  /** Answered ones only. */
  readonly allocations: Allocation[] = [];
  /** Answered ones only: the id of another is not known. */
  readonly creations: TopicChange[] = [];
  readonly deletions: TopicChange[] = [];
  /** Answered ones only. */
  readonly registrations: Registration[] = [];
  readonly reads: Read[] = [];
  /** Changes that were answered as done. */
  acknowledged = 0;
  unanswered = 0;
  #moment = 0;

  now(): number {
    return ++this.#moment;
  }
}
