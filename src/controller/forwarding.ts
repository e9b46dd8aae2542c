import { orAbort } from '../env/abortable.ts';
import { type Backoff, backoffMs } from '../env/backoff.ts';
import type { Clock, Random, Timers } from '../env/ports.ts';
import { ApiError, type ErrorRow, Errors } from '../model/errors.ts';
import type { NodeId } from '../model/ids.ts';
import { rowOfRpcStatus } from '../rpc/error-message.ts';
import { call, type Method } from '../rpc/method.ts';
import { type Channel, RpcError, type RpcStatus } from '../rpc/transport.ts';
import type { MetadataReplica } from './metadata-replica.ts';

export interface ForwardingParts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  /** Who leads, as far as this node knows. */
  readonly replica: Pick<MetadataReplica, 'leaderId' | 'onLeader'>;
  /** To the peer port of a node; `undefined` if it is not known where that is. */
  channelOf(id: NodeId): Channel | undefined;
}

/** Something that the active controller is asked for. */
export interface Forwarded<Request, Response> {
  readonly method: Method<Request, Response>;
  readonly request: Request;
  /** Does it on this node, while that is the active controller. */
  here(): Promise<Response>;
  /** Done twice it does no harm. */
  readonly isRepeatable: boolean;
  /** How long a controller is looked for; without it as long as `signal` lets it, else 30 s. */
  readonly timeoutMs?: number;
  /** Ends the search; what it rejects with is the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** As long as a client waits by default. */
const REQUEST_TIMEOUT_MS = 30_000;
/**
 * How long one node may take for what can be asked again: longer than a sync of a disk under load, shorter
 * than a voter needs to notice that the leader is gone and to be elected. What changes something is not
 * cut off by time: a slow disk would make a done change look like none.
 */
const ATTEMPT_MS = 2_000;
/** Who leads no more tells its callers as soon as it knows: a node that lives has answered by then. */
const LAST_WORD_MS = 500;
const BETWEEN_ATTEMPTS: Backoff = { firstMs: 20, mostMs: 500 };

/**
 * What an attempt has led to: an answer, or for certain to no change, for this reason; or nobody can say
 * whether to one, and the caller gets this error if it is not asked again.
 */
type Attempt<Response> =
  | { readonly answer: Response }
  | { readonly unchanged: string }
  | { readonly notKnown: ApiError };

/**
 * Finds the active controller, which is this node or the one that this node takes for the leader, and asks
 * again after a failure while it is certain that nothing was changed, or that it would do no harm. Once
 * that is not certain the caller is told so.
 */
export class Forwarding {
  readonly #nodeId: NodeId;
  readonly #parts: ForwardingParts;

  constructor(nodeId: NodeId, parts: ForwardingParts) {
    this.#nodeId = nodeId;
    this.#parts = parts;
  }

  /** Rejects with `ApiError`: that of the controller, NOT_CONTROLLER, or REQUEST_TIMED_OUT if the outcome is not known. */
  async ask<Request, Response>(forwarded: Forwarded<Request, Response>): Promise<Response> {
    const { clock, random } = this.#parts;
    const { signal } = forwarded;
    const patienceMs = forwarded.timeoutMs ?? (signal === undefined ? REQUEST_TIMEOUT_MS : null);
    const deadlineMs = clock.monotonicMs() + (patienceMs ?? Number.POSITIVE_INFINITY);
    let unknown: ApiError | undefined;
    let reason = '';
    for (let attempt = 0; ; attempt++) {
      signal?.throwIfAborted();
      const outcome = await this.#attempt(forwarded, deadlineMs - clock.monotonicMs());
      if ('answer' in outcome) return outcome.answer;
      signal?.throwIfAborted();
      if ('notKnown' in outcome) unknown = outcome.notKnown;
      else reason = outcome.unchanged;
      if (unknown !== undefined && !forwarded.isRepeatable) throw unknown;
      const pauseMs = backoffMs(BETWEEN_ATTEMPTS, attempt, random);
      if (clock.monotonicMs() + pauseMs >= deadlineMs)
        throw unknown ?? notFound(reason, patienceMs!);
      // Who leads since just now is active as soon as the entry that begins its epoch is committed.
      if (await this.#pause(pauseMs, signal)) attempt = -1;
    }
  }

  async #attempt<Request, Response>(
    forwarded: Forwarded<Request, Response>,
    leftMs: number,
  ): Promise<Attempt<Response>> {
    const { replica, channelOf } = this.#parts;
    const { leaderId } = replica;
    if (leaderId === null) return { unchanged: 'no node is known to lead the metadata quorum' };
    if (leaderId === this.#nodeId) return await attemptHere(forwarded);
    const channel = channelOf(leaderId);
    if (channel === undefined) return { unchanged: `it is not known where node ${leaderId} is` };
    return await this.#attemptAt(leaderId, channel, forwarded, leftMs);
  }

  async #attemptAt<Request, Response>(
    leaderId: NodeId,
    channel: Channel,
    { method, request, isRepeatable, signal }: Forwarded<Request, Response>,
    leftMs: number,
  ): Promise<Attempt<Response>> {
    const timeoutMs = Math.max(1, isRepeatable ? Math.min(leftMs, ATTEMPT_MS) : leftMs);
    const given = new AbortController();
    const giveUp = (): void => given.abort();
    const release = this.#whenReplaced(leaderId, giveUp);
    signal?.addEventListener('abort', giveUp, { once: true });
    try {
      const options = { timeoutMs, signal: given.signal };
      return { answer: await call(channel, method, request, options) };
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      return failureAt(leaderId, error.status);
    } finally {
      signal?.removeEventListener('abort', giveUp);
      release();
    }
  }

  /** Calls `giveUp` a while after another node leads; the result ends that. */
  #whenReplaced(leaderId: NodeId, giveUp: () => void): () => void {
    const { replica, timers } = this.#parts;
    let timer = null as ReturnType<Timers['after']> | null;
    const forget = replica.onLeader(() => {
      if (replica.leaderId === null || replica.leaderId === leaderId) return;
      timer ??= timers.after(LAST_WORD_MS, giveUp);
    });
    return () => {
      forget();
      timer?.cancel();
    };
  }

  /** True if it ended earlier because another node leads. */
  async #pause(ms: number, signal: AbortSignal | undefined): Promise<boolean> {
    const { timers, replica } = this.#parts;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const end = (): void => resolve(false);
    const timer = timers.after(ms, end);
    const forget = replica.onLeader(() => resolve(replica.leaderId !== null));
    signal?.addEventListener('abort', end, { once: true });
    const isLed = await promise;
    signal?.removeEventListener('abort', end);
    forget();
    timer.cancel();
    return isLed;
  }
}

async function attemptHere<Response>({
  here,
  signal,
}: Pick<Forwarded<unknown, Response>, 'here' | 'signal'>): Promise<Attempt<Response>> {
  try {
    return { answer: await orAbort(here(), signal) };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return outcomeOf(error.row, error.message);
  }
}

function failureAt(leaderId: NodeId, status: RpcStatus): Attempt<never> {
  const { message, errorCode, neverSent } = status;
  const row = rowOfRpcStatus(status);
  if (errorCode !== undefined) return outcomeOf(row, message);
  const reason = `node ${leaderId}, which leads, gave no answer: ${message}`;
  if (neverSent) return { unchanged: reason };
  return row === Errors.REQUEST_TIMED_OUT ? { notKnown: notKnown(reason) } : outcomeOf(row, reason);
}

/** @throws ApiError if it is the answer */
function outcomeOf(row: ErrorRow, reason: string): Attempt<never> {
  const error = new ApiError(row, reason);
  switch (row) {
    case Errors.NOT_CONTROLLER:
      return { unchanged: reason };
    case Errors.REQUEST_TIMED_OUT:
      // The controller's own sentence.
      return { notKnown: error };
    case Errors.NETWORK_EXCEPTION:
    case Errors.BROKER_STOPPING:
      return { notKnown: notKnown(reason) };
    default:
      throw error;
  }
}

const notFound = (reason: string, patienceMs: number): ApiError =>
  new ApiError(
    Errors.NOT_CONTROLLER,
    `no active controller was found within ${patienceMs / 1000} s (${reason}); nothing was changed`,
  );

const notKnown = (reason: string): ApiError =>
  new ApiError(Errors.REQUEST_TIMED_OUT, `it is not known whether the change was made: ${reason}`);
