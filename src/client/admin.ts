import type { ErrorName } from '../model/errors.ts';
import type { TopicPartition } from '../model/ids.ts';
import type {
  Broker,
  ConfigEntry as ConfigEntryMessage,
  ErrorMessage,
  PartitionDescription,
  TopicListing,
} from '../rpc/admin-messages.ts';
import { adminMethods } from '../rpc/admin-service.ts';
import type { Method } from '../rpc/method.ts';
import type { BrokerChannels } from './broker-channels.ts';
import { argumentError, errorOfMessage, type VarveError } from './errors.ts';
import type { LeaderCalls, Waited } from './leader-calls.ts';
import { topicName } from './options.ts';

export interface CallOptions {
  readonly signal?: AbortSignal;
  /** How long the call may take with all its repetitions, in ms; that of the client if not given. */
  readonly timeoutMs?: number;
}

/** The result of one item of a list: with an error, the rest of it says nothing. */
export type Outcome<T> = T & { readonly error: VarveError | undefined };

/** A topic to make; what is not given is the broker's default. */
export interface TopicSpec {
  readonly name: string;
  readonly partitionCount?: number;
  readonly replicationFactor?: number;
  /** Settings by Kafka's names, such as `retention.ms`. */
  readonly configs?: Readonly<Record<string, string | number | boolean>>;
}

export interface CreatedTopic {
  readonly name: string;
  readonly topicId: string;
  readonly partitionCount: number;
  readonly replicationFactor: number;
}

export interface TopicDescription {
  readonly name: string;
  readonly topicId: string;
  readonly internal: boolean;
  readonly partitions: readonly PartitionDescription[];
}

export interface ConfigEntry {
  readonly name: string;
  readonly value: string;
  /** Where the value comes from. */
  readonly source: 'topic' | 'broker' | 'default' | 'unknown';
  readonly documentation: string;
}

export interface TopicConfigs {
  readonly name: string;
  /** Sorted by name. */
  readonly entries: readonly ConfigEntry[];
}

export interface ConfigChanges {
  readonly name: string;
  readonly set?: Readonly<Record<string, string | number | boolean>>;
  /** Settings to put back to the broker's default. */
  readonly unset?: readonly string[];
}

/** Which offset is asked for; as where a consumer may begin. */
export type OffsetSpec = 'earliest' | 'latest' | { readonly timestampMs: number };

export interface PartitionOffset extends TopicPartition {
  /** -1 if no record has the time asked for, or a later one. */
  readonly offset: number;
  /** Time of the record at `offset`; -1 for earliest and latest. */
  readonly timestampMs: number;
  readonly leaderEpoch: number;
}

export interface ClusterDescription {
  readonly clusterId: string;
  /** -1 if there is none at the moment. */
  readonly controllerId: number;
  readonly brokers: readonly Broker[];
}

/** The nodes that keep the metadata of the cluster: its leader is the active controller. */
export interface QuorumDescription {
  /** -1 if no leader answers; then the rest is what the node that was asked knows by itself. */
  readonly leaderId: number;
  readonly leaderEpoch: number;
  /** The last entry of the metadata log that is committed. */
  readonly commitIndex: number;
  /** The last one that the node which tells this has applied. */
  readonly appliedIndex: number;
  /** Voters first, each in the order of their ids. */
  readonly members: readonly QuorumMember[];
}

export interface QuorumMember {
  readonly nodeId: number;
  readonly directoryId: string;
  /** An observer is sent the log and does not vote. */
  readonly role: 'voter' | 'observer';
  /** The last entry that it has on its disk, as far as the leader knows; -1 if not known. */
  readonly matchIndex: number;
  /** How many entries it lacks; -1 if not known. */
  readonly lag: number;
  /** It was heard of within about the last second; false also if not known. */
  readonly heardOf: boolean;
}

export interface Capabilities {
  readonly serverVersion: string;
  readonly clusterId: string;
  readonly nodeId: number;
  readonly maxMessageBytes: number;
  readonly features: readonly string[];
}

export interface ValidateOption {
  /** True to check only, and change nothing. */
  readonly validateOnly?: boolean;
}

/**
 * Looks at and changes the cluster. Methods for a list answer item by item and throw only if the call
 * itself fails; methods for one thing throw its error. A call whose answer was lost is made again, so
 * a topic may be said to exist that this very call has made.
 */
export class Admin {
  readonly #timeoutMs: number;
  readonly #channels: BrokerChannels;
  readonly #leaders: LeaderCalls;

  /** @param timeoutMs for calls that give none */
  constructor(timeoutMs: number, channels: BrokerChannels, leaders: LeaderCalls) {
    this.#timeoutMs = timeoutMs;
    this.#channels = channels;
    this.#leaders = leaders;
  }

  async createTopics(
    topics: readonly TopicSpec[],
    options: CallOptions & ValidateOption = {},
  ): Promise<Outcome<CreatedTopic>[]> {
    const request = {
      topics: topics.map(({ name, partitionCount = 0, replicationFactor = 0, configs = {} }) => ({
        name: topicName(name),
        partitionCount,
        replicationFactor,
        configs: asText(configs),
      })),
      validateOnly: options.validateOnly ?? false,
    };
    const answer = await this.#call(adminMethods.createTopics, request, options);
    return answer.topics.map((topic) => outcome(topic, `topic ${topic.name}`));
  }

  async createTopic(
    topic: TopicSpec,
    options: CallOptions & ValidateOption = {},
  ): Promise<CreatedTopic> {
    return only(await this.createTopics([topic], options));
  }

  async deleteTopics(
    names: readonly string[],
    options: CallOptions = {},
  ): Promise<Outcome<{ readonly name: string }>[]> {
    const request = { names: names.map(topicName) };
    const answer = await this.#call(adminMethods.deleteTopics, request, options);
    return answer.topics.map((topic) => outcome(topic, `topic ${topic.name}`));
  }

  async deleteTopic(name: string, options: CallOptions = {}): Promise<void> {
    only(await this.deleteTopics([name], options));
  }

  /** All topics, sorted by name. */
  async listTopics(options: CallOptions = {}): Promise<readonly TopicListing[]> {
    return (await this.#call(adminMethods.listTopics, {}, options)).topics;
  }

  /** @param names an empty list for all topics */
  async describeTopics(
    names: readonly string[],
    options: CallOptions = {},
  ): Promise<Outcome<TopicDescription>[]> {
    const request = { names: names.map(topicName) };
    const answer = await this.#call(adminMethods.describeTopics, request, options);
    return answer.topics.map((topic) => outcome(topic, `topic ${topic.name}`));
  }

  async describeTopic(name: string, options: CallOptions = {}): Promise<TopicDescription> {
    return only(await this.describeTopics([name], options));
  }

  async createPartitions(
    topics: readonly { readonly name: string; readonly totalCount: number }[],
    options: CallOptions & ValidateOption = {},
  ): Promise<Outcome<{ readonly name: string }>[]> {
    const request = { topics, validateOnly: options.validateOnly ?? false };
    const answer = await this.#call(adminMethods.createPartitions, request, options);
    return answer.topics.map((topic) => outcome(topic, `topic ${topic.name}`));
  }

  async describeConfigs(
    topics: readonly string[],
    options: CallOptions = {},
  ): Promise<Outcome<TopicConfigs>[]> {
    const request = { topics: topics.map(topicName) };
    const answer = await this.#call(adminMethods.describeConfigs, request, options);
    return answer.topics.map((topic) =>
      outcome({ ...topic, entries: topic.entries.map(configEntry) }, `topic ${topic.name}`),
    );
  }

  /** Changes the settings that are named and leaves the others alone. */
  async alterConfigs(
    topics: readonly ConfigChanges[],
    options: CallOptions & ValidateOption = {},
  ): Promise<Outcome<{ readonly name: string }>[]> {
    const request = {
      topics: topics.map(({ name, set = {}, unset = [] }) => ({ name, set: asText(set), unset })),
      validateOnly: options.validateOnly ?? false,
    };
    const answer = await this.#call(adminMethods.alterConfigs, request, options);
    return answer.topics.map((topic) => outcome(topic, `topic ${topic.name}`));
  }

  async listOffsets(
    partitions: readonly (TopicPartition & { readonly at: OffsetSpec })[],
    options: CallOptions & { readonly isolation?: 'read_uncommitted' | 'read_committed' } = {},
  ): Promise<Outcome<PartitionOffset>[]> {
    const asked = partitions.map(({ topic, partition, at }) => ({
      topic: topicName(topic),
      partition,
      ...offsetSpec(at),
    }));
    const readCommitted = options.isolation === 'read_committed';
    const answers = await this.#callLeaders(
      adminMethods.listOffsets,
      asked,
      (some) => ({ partitions: some, readCommitted }),
      options,
    );
    return answers.map((one) => outcome(one, `${one.topic}-${one.partition}`));
  }

  /**
   * Deletes the records below `beforeOffset`, for good; -1 stands for all that can be read now.
   * Answers with the first offset that is left.
   */
  async deleteRecords(
    partitions: readonly (TopicPartition & { readonly beforeOffset: number })[],
    options: CallOptions = {},
  ): Promise<Outcome<TopicPartition & { readonly logStartOffset: number }>[]> {
    const answers = await this.#callLeaders(
      adminMethods.deleteRecords,
      partitions,
      (some) => ({ partitions: some }),
      options,
    );
    return answers.map((one) => outcome(one, `${one.topic}-${one.partition}`));
  }

  describeCluster(options: CallOptions = {}): Promise<ClusterDescription> {
    return this.#call(adminMethods.describeCluster, {}, options);
  }

  /** Whichever broker is asked, the leader of the quorum answers, if there is one. */
  async describeQuorum(options: CallOptions = {}): Promise<QuorumDescription> {
    const answer = await this.#call(adminMethods.describeQuorum, {}, options);
    const members = answer.members.map(
      ({ voter, ...member }): QuorumMember => ({ ...member, role: voter ? 'voter' : 'observer' }),
    );
    return { ...answer, members };
  }

  /**
   * Makes a node a voter of the quorum. It must run, as an observer, and have caught up: that is waited for
   * a while. Nothing happens if it is a voter.
   */
  async addVoter(nodeId: number, options: CallOptions = {}): Promise<void> {
    await this.#call(adminMethods.addVoter, { nodeId: checkedNodeId(nodeId) }, options);
  }

  /**
   * Takes a voter, or an observer that is gone for good, out of the quorum.
   *
   * @param options with `force` also if those that answer are no majority of the voters that remain:
   * then nothing can be changed until enough of the others answer
   */
  async removeVoter(
    nodeId: number,
    options: CallOptions & { readonly force?: boolean } = {},
  ): Promise<void> {
    const request = { nodeId: checkedNodeId(nodeId), force: options.force ?? false };
    await this.#call(adminMethods.removeVoter, request, options);
  }

  /** Makes another voter the leader of the quorum. Nothing happens if it is. */
  async transferLeadership(nodeId: number, options: CallOptions = {}): Promise<void> {
    await this.#call(adminMethods.transferLeadership, { nodeId: checkedNodeId(nodeId) }, options);
  }

  /** What the broker that answers is and accepts. */
  capabilities(options: CallOptions = {}): Promise<Capabilities> {
    return this.#call(adminMethods.getCapabilities, {}, options);
  }

  /** Who leads what is learned from the first answers; what has no leader for a moment is asked for again. */
  #callLeaders<
    Item extends TopicPartition,
    Request,
    Answer extends { readonly error?: ErrorMessage | undefined },
  >(
    method: Method<Request, { readonly partitions: readonly Answer[] }>,
    items: readonly Item[],
    requestOf: (items: readonly Item[]) => Request,
    { timeoutMs = this.#timeoutMs, signal }: CallOptions,
  ): Promise<Answer[]> {
    const isFinal = ({ error }: Answer, { isLate }: Waited): boolean =>
      isLate || error === undefined || !moving.has(error.name);
    return this.#leaders.call(method, items, requestOf, isFinal, { timeoutMs, signal });
  }

  #call<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    { timeoutMs = this.#timeoutMs, signal }: CallOptions,
  ): Promise<Response> {
    return this.#channels.callAny(method, request, { timeoutMs, signal });
  }
}

/** The partition is led elsewhere, or will be soon. */
const moving: ReadonlySet<string> = new Set<ErrorName>([
  'NOT_LEADER_OR_FOLLOWER',
  'LEADER_NOT_AVAILABLE',
]);

function outcome<T extends { readonly error?: ErrorMessage | undefined }>(
  item: T,
  subject: string,
): Outcome<Omit<T, 'error'>> {
  const { error } = item;
  return { ...item, error: error === undefined ? undefined : errorOfMessage(error, subject) };
}

function only<T>(outcomes: readonly Outcome<T>[]): Omit<T, 'error'> {
  const { error, ...result } = outcomes[0]!;
  if (error !== undefined) throw error;
  return result;
}

const asText = (
  configs: Readonly<Record<string, string | number | boolean>>,
): Record<string, string> =>
  Object.fromEntries(Object.entries(configs).map(([name, value]) => [name, String(value)]));

const sources: { readonly [name in ConfigEntryMessage['source']]: ConfigEntry['source'] } = {
  CONFIG_SOURCE_TOPIC: 'topic',
  CONFIG_SOURCE_BROKER: 'broker',
  CONFIG_SOURCE_DEFAULT: 'default',
  CONFIG_SOURCE_UNSPECIFIED: 'unknown',
};

const configEntry = (entry: ConfigEntryMessage): ConfigEntry => ({
  ...entry,
  source: sources[entry.source],
});

function checkedNodeId(nodeId: number): number {
  if (Number.isSafeInteger(nodeId) && nodeId >= 0) return nodeId;
  throw argumentError(`\`nodeId\` is a whole number from 0, not ${nodeId}`);
}

function offsetSpec(
  at: OffsetSpec,
): { earliest: true } | { latest: true } | { timestampMs: number } {
  if (at === 'earliest') return { earliest: true };
  if (at === 'latest') return { latest: true };
  if (Number.isSafeInteger(at?.timestampMs)) return { timestampMs: at.timestampMs };
  throw argumentError(`\`at\` is 'earliest', 'latest' or {timestampMs}, not ${JSON.stringify(at)}`);
}
