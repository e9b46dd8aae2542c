import { type Backoff, backoffMs } from '../env/backoff.ts';
import type { Random, Timers } from '../env/ports.ts';
import { randomId } from '../env/random-id.ts';
import { ApiError, Errors } from '../model/errors.ts';
import type { NodeId } from '../model/ids.ts';
import { type Configuration, isMember, type Member, sameMember } from '../raft/configuration.ts';
import { isOutcome } from '../rpc/error-message.ts';
import { call, type HandlerTable } from '../rpc/method.ts';
import { type Channel, RpcError, type TlsOptions, type Transport } from '../rpc/transport.ts';
import type { Logger } from '../telemetry/logger.ts';
import { decide, type FormedCluster, type FormingDecision, type Introduction } from './forming.ts';
import {
  type IntroduceRequest,
  type IntroduceResponse,
  introduceMethod,
} from './introduce-codec.ts';

const BETWEEN_ROUNDS: Backoff = { firstMs: 100, mostMs: 1_000, factor: 1.2 };
const ASK_TIMEOUT_MS = 2_000;
/** To join takes a commit. */
const JOIN_TIMEOUT_MS = 10_000;
const MAX_ANSWER_BYTES = 1024 * 1024;
/** Addresses are told by other nodes, too. */
const UNANSWERED_MAX = 100;

export interface FormingOptions {
  readonly self: Member;
  /** Of which cluster the node is to be; empty for any. */
  readonly clusterId: string;
  /** The listed voters and their addresses, this node's own too if it is one. */
  readonly voters: ReadonlyMap<NodeId, string>;
  /** Where this node listens for its peers. */
  readonly address: string;
  readonly tls?: TlsOptions;
}

/** What an empty node makes durable in order to be of a cluster. */
export interface Beginning {
  readonly clusterId: string;
  /** The members the cluster was formed with; `null` on a node that joins. */
  readonly initial: Configuration | null;
}

export interface FormingParts {
  readonly timers: Timers;
  readonly random: Random;
  readonly logger: Logger;
  readonly transport: Transport;
  /**
   * Makes durable, in this order, the beginning of the log (`beginStorage`), and of which cluster the data
   * directory is. The second decides: before it the node is empty, and does all again after a crash.
   */
  begin(beginning: Beginning): Promise<void>;
  /** A node of this cluster, or one that joins it, has told where it listens (`Peers.learnAddress`). */
  heardOf(member: Member, address: string): void;
}

/** A node that has begun. */
export interface FormedOwner {
  formed(): FormedCluster;
  /**
   * Adds a learner, if it is none already; resolves when that is committed. Called while `formed` says that this node leads. An
   * outcome that it throws is told to the node that asks, which comes again.
   */
  onJoin(member: Member, address: string): Promise<void>;
}

/** The leader has let this node in, and that is committed. */
type RoundOutcome = FormingDecision | { readonly kind: 'let-in'; readonly clusterId: string };

/**
 * Tells other nodes of this one, and lets an empty one ask the listed voters, again and again, until it may
 * begin. What the answers mean `decide` knows.
 */
export class Forming {
  readonly #options: FormingOptions;
  readonly #parts: FormingParts;
  readonly #closing = new AbortController();
  #seen: readonly Member[] = [];
  /** The node is empty, and asks. */
  #isAsking = false;
  #owner: (Pick<FormedOwner, 'formed'> & Partial<FormedOwner>) | undefined;
  #wake: () => void = () => {};
  /** What was logged last, so that it is logged once. */
  #said = '';
  #twin = '';
  /** Why, by address, as it was logged last. */
  readonly #unanswered = new Map<string, string>();

  constructor(options: FormingOptions, parts: FormingParts) {
    this.#options = options;
    this.#parts = parts;
  }

  /** Before the listener is opened. */
  addHandlers(table: HandlerTable): void {
    table.onCall(introduceMethod, (request) => this.#introduced(request));
  }

  /**
   * The node has begun, and tells of its cluster from now on. While it hears of no leader it tells the listed
   * voters again where it is, and asks to be let in again: perhaps it is no member any more, and nobody would say so.
   */
  serve(owner: FormedOwner): void {
    this.#owner = owner;
    void this.#stayKnown(owner);
  }

  /** For an empty node: resolves when `begin` has, and rejects with what it rejects with, or after `close`. */
  async run(): Promise<Beginning> {
    this.#isAsking = true;
    for (let round = 0; ; round++) {
      const decision = await this.#round();
      this.#throwIfClosed();
      const beginning = this.#beginningOf(decision);
      if (beginning !== undefined) return await this.#begin(beginning);
      await this.#pause(round);
      this.#throwIfClosed();
    }
  }

  /** Asks no more. */
  close(): void {
    this.#closing.abort();
    this.#wake();
  }

  async #begin(beginning: Beginning): Promise<Beginning> {
    const { clusterId, initial } = beginning;
    await this.#parts.begin(beginning);
    this.#isAsking = false;
    if (initial !== null) {
      const formed = { clusterId, initial, current: initial, leader: undefined };
      this.#owner ??= { formed: () => formed };
    }
    this.#parts.logger.info(
      { clusterId, voters: initial?.voters.map(({ id }) => id) ?? null },
      initial === null ? 'this node has joined a cluster' : 'this node is a voter of a new cluster',
    );
    return beginning;
  }

  #beginningOf(decision: RoundOutcome): Beginning | undefined {
    switch (decision.kind) {
      case 'form': {
        const clusterId = decision.clusterId ?? randomId(this.#parts.random);
        return { clusterId, initial: decision.initial };
      }
      case 'begin':
        return { clusterId: decision.clusterId, initial: decision.initial };
      case 'let-in':
        return { clusterId: decision.clusterId, initial: null };
      default:
        return undefined;
    }
  }

  /** Asks all voters at once, and the leader to be let in if that is what is to be done. */
  async #round(): Promise<RoundOutcome> {
    const answers = await this.#askAll();
    const found = [...answers].filter(([id, { self: one }]) => one.id === id);
    this.#seen = found.map(([, one]) => one.self);
    const decision = decide(this.#introduction(), answers);
    const after = decision.kind === 'join' ? await this.#join(decision.cluster) : decision;
    this.#say(after);
    return after;
  }

  async #askAll(): Promise<Map<NodeId, Introduction>> {
    const { self, voters } = this.#options;
    const others = [...voters].filter(([id]) => id !== self.id);
    const found = await Promise.all(
      others.map(async ([id, address]) => {
        const answer = await this.#ask(address, false);
        return answer === undefined ? [] : [[id, answer.introduction] as const];
      }),
    );
    return new Map(found.flat());
  }

  async #stayKnown(owner: FormedOwner): Promise<void> {
    for (;;) {
      await this.#pause(Number.POSITIVE_INFINITY);
      if (this.#closing.signal.aborted) return;
      const { clusterId, leader } = owner.formed();
      if (leader !== undefined) continue;
      const told = [...(await this.#askAll()).values()].map(({ formed }) => formed);
      const cluster = told.find(
        (each) => each?.clusterId === clusterId && each.leader !== undefined,
      );
      if (cluster !== undefined) this.#say(await this.#join(cluster));
    }
  }

  async #join(cluster: FormedCluster): Promise<RoundOutcome> {
    const { leader, clusterId } = cluster;
    const address = leader?.address || this.#options.voters.get(leader?.id ?? (-1 as NodeId));
    if (leader === undefined || address === undefined) {
      return { kind: 'wait', reason: `cluster ${clusterId} has no leader to join it by` };
    }
    const answer = await this.#ask(address, true);
    const formed = answer?.introduction.formed;
    if (answer === undefined || formed === undefined) {
      return {
        kind: 'wait',
        reason: `the leader, node ${leader.id} at ${address}, is not reached`,
      };
    }
    const isIn = isMember(formed.current, this.#options.self);
    if (formed.clusterId === clusterId && isIn && answer.refusal === '') {
      return { kind: 'let-in', clusterId };
    }
    const why = answer.refusal || 'it did not say why';
    return { kind: 'refuse', reason: `cluster ${clusterId} does not let this node in: ${why}` };
  }

  async #ask(address: string, wantsToJoin: boolean): Promise<IntroduceResponse | undefined> {
    const channel = this.#channelTo(address);
    if (channel === undefined) return undefined;
    try {
      const request: IntroduceRequest = { introduction: this.#introduction(), wantsToJoin };
      const answer = await call(channel, introduceMethod, request, {
        timeoutMs: wantsToJoin ? JOIN_TIMEOUT_MS : ASK_TIMEOUT_MS,
        signal: this.#closing.signal,
      });
      this.#unanswered.delete(address);
      return answer;
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      this.#noticeSilence(address, error.message);
      return undefined;
    } finally {
      void channel.close();
    }
  }

  /** A channel of its own for each call: an old one may itself wait before it connects again. */
  #channelTo(address: string): Channel | undefined {
    const { tls } = this.#options;
    const options = { maxMessageBytes: MAX_ANSWER_BYTES, ...(tls === undefined ? {} : { tls }) };
    try {
      return this.#parts.transport.connect(address, options);
    } catch (error) {
      // Another node has told it, and it is none.
      this.#parts.logger.debug({ address, err: error }, 'an address is not valid');
      return undefined;
    }
  }

  async #introduced(request: IntroduceRequest): Promise<IntroduceResponse> {
    const from = request.introduction.self;
    this.#noticeTwin(from, request.introduction.address);
    if (this.#owner === undefined && !this.#isAsking) {
      throw new ApiError(Errors.NOT_CONTROLLER, 'the node is starting');
    }
    // A voter that was not reached before may be reached now.
    const isVoter = this.#options.voters.has(from.id);
    if (isVoter && !this.#seen.some((seen) => sameMember(seen, from))) this.#wake();
    this.#learnAddress(request);
    const refusal = request.wantsToJoin ? await this.#letIn(request.introduction) : '';
    return { introduction: this.#introduction(), refusal };
  }

  #learnAddress({ introduction, wantsToJoin }: IntroduceRequest): void {
    const { self, formed, address } = introduction;
    const isOurs = formed !== undefined && formed.clusterId === this.#owner?.formed().clusterId;
    if (address !== '' && (isOurs || wantsToJoin)) this.#parts.heardOf(self, address);
  }

  async #letIn({ self: member, clusterId, address }: Introduction): Promise<string> {
    const { self } = this.#options;
    const cluster = this.#owner?.formed();
    if (cluster === undefined) return `node ${self.id} has no cluster`;
    if (clusterId !== '' && clusterId !== cluster.clusterId) {
      return `it is to be of cluster ${clusterId}, this one is ${cluster.clusterId}`;
    }
    const onJoin = this.#owner?.onJoin;
    if (cluster.leader?.id !== self.id || onJoin === undefined) {
      return `node ${self.id} does not lead the cluster`;
    }
    try {
      await onJoin.call(this.#owner, member, address);
      return '';
    } catch (error) {
      if (!isOutcome(error)) throw error;
      return error.message;
    }
  }

  /** Said once: certificates that do not fit, for one, look to `decide` like a node that is down. */
  #noticeSilence(address: string, reason: string): void {
    if (this.#closing.signal.aborted || this.#unanswered.get(address) === reason) return;
    if (this.#unanswered.size >= UNANSWERED_MAX) this.#unanswered.clear();
    this.#unanswered.set(address, reason);
    this.#parts.logger.info({ address, reason }, 'a node does not answer');
  }

  #noticeTwin(from: Member, address: string): void {
    const { self } = this.#options;
    if (from.id !== self.id || from.directoryId === self.directoryId) return;
    if (this.#twin === from.directoryId) return;
    this.#twin = from.directoryId;
    const reason = `id ${self.id} is used twice: by this node with data directory ${self.directoryId} and by one with ${from.directoryId} at ${address}`;
    this.#parts.logger.warn({ reason }, 'another node has the id of this one');
  }

  #introduction(): Introduction {
    const { self, clusterId, voters, address } = this.#options;
    return {
      ...{ self, clusterId, address, seen: this.#seen },
      voters: [...voters].map(([id, at]) => ({ id, address: at })),
      formed: this.#owner?.formed(),
    };
  }

  #say(decision: RoundOutcome): void {
    if (decision.kind !== 'wait' && decision.kind !== 'refuse') return;
    const { kind, reason } = decision;
    if (reason === this.#said) return;
    this.#said = reason;
    const { logger } = this.#parts;
    if (kind === 'wait') logger.info({ reason }, 'this node waits for its cluster');
    else logger.warn({ reason }, 'this node does not take part in a cluster');
  }

  #pause(round: number): Promise<void> {
    const { timers, random } = this.#parts;
    const waitMs = backoffMs(BETWEEN_ROUNDS, round, random);
    return new Promise((resolve) => {
      const timer = timers.after(waitMs, resolve);
      this.#wake = () => {
        timer.cancel();
        resolve();
      };
    });
  }

  #throwIfClosed(): void {
    if (!this.#closing.signal.aborted) return;
    throw new ApiError(Errors.BROKER_STOPPING, 'the node stopped before it was of a cluster');
  }
}
