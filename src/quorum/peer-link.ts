import { type Backoff, backoffMs } from '../env/backoff.ts';
import type { Random, Timer, Timers } from '../env/ports.ts';
import type { Member } from '../raft/configuration.ts';
import type { RaftMessage } from '../raft/messages.ts';
import type { Channel, RpcStatus } from '../rpc/transport.ts';
import type { Logger } from '../telemetry/logger.ts';
import { type ExchangeResponse, exchangeMethod, type Hello, Refusal } from './peer-frames.ts';
import { PeerStream } from './peer-stream.ts';

/** What waits for a peer that does not keep up; what comes beyond is dropped with it. */
const WAITING_BYTES_MAX = 16 * 1024 * 1024;
const BETWEEN_ATTEMPTS: Backoff = { firstMs: 50, mostMs: 2_000 };

export interface LinkParts {
  readonly timers: Timers;
  readonly random: Random;
  readonly logger: Logger;
  readonly lookMs: number;
  /** Where the peer is now, if that is known. */
  address(): string | undefined;
  connect(address: string): Channel;
  hello(): Hello;
  /** Never inside a call of the link. */
  reachable(): void;
  unreachable(): void;
}

/**
 * Keeps one stream to one peer open as long as it lives. While there is none nothing waits but the newest
 * message of each kind that elections and leaders live on.
 */
export class PeerLink {
  readonly #peer: Member;
  readonly #parts: LinkParts;
  #stream: PeerStream | null = null;
  #isAccepted = false;
  /** Not null while the next attempt waits. */
  #timer: Timer | null = null;
  /** Without success. */
  #attempts = 0;
  /** What was logged last, so that it is logged once. */
  #trouble = '';
  #newest = new Map<RaftMessage['kind'], RaftMessage>();
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  /** The peer was given up until what is under way to it has arrived. */
  #isOverflown = false;
  #isClosed = false;

  constructor(peer: Member, parts: LinkParts) {
    this.#peer = peer;
    this.#parts = parts;
    this.#connect();
  }

  send(message: RaftMessage): void {
    if (this.#isClosed) return;
    if (!this.#isAccepted) {
      // Who is told late to campaign at once would break a leadership that goes on.
      const mayWait = isUrgent(message) && message.kind !== 'timeout-now';
      if (mayWait) this.#newest.set(message.kind, message);
      return;
    }
    const frame = exchangeMethod.request.encode({ kind: 'raft', message });
    if (isUrgent(message) || (this.#waiting.length === 0 && this.#stream!.hasRoom)) {
      this.#stream!.send(frame);
    } else {
      this.#enqueue(frame);
    }
  }

  /** The peer has come by itself, so it can perhaps be reached. */
  heardOf(): void {
    if (this.#timer === null) return;
    this.#timer.cancel();
    this.#connect();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#timer = null;
    await this.#stream?.close();
  }

  #enqueue(frame: Uint8Array): void {
    const isAlone = this.#waiting.length === 0;
    if (!isAlone && this.#waitingBytes + frame.length > WAITING_BYTES_MAX) {
      this.#forgetWaiting();
      if (this.#isOverflown) return;
      this.#isOverflown = true;
      this.#log('a peer does not keep up: messages to it were dropped', {});
      this.#parts.timers.nextTurn(() => {
        if (!this.#isClosed) this.#parts.unreachable();
      });
      return;
    }
    this.#waiting.push(frame);
    this.#waitingBytes += frame.length;
  }

  #drain(): void {
    const stream = this.#stream!;
    let sent = 0;
    while (sent < this.#waiting.length && stream.hasRoom) {
      const frame = this.#waiting[sent++]!;
      this.#waitingBytes -= frame.length;
      stream.send(frame);
    }
    this.#waiting.splice(0, sent);
    if (!this.#isOverflown || this.#waiting.length > 0) return;
    this.#isOverflown = false;
    this.#trouble = '';
    this.#parts.reachable();
  }

  #connect(): void {
    this.#timer = null;
    const address = this.#parts.address();
    if (address === undefined) {
      this.#log('the address of a peer is not known', {});
      this.#connectLater();
      return;
    }
    const channel = this.#channelTo(address);
    if (channel === undefined) return;
    this.#stream = new PeerStream(channel, this.#parts.hello(), {
      ...this.#parts,
      events: {
        accepted: () => this.#accepted(address),
        proved: () => {
          this.#attempts = 0;
        },
        refused: (response) => this.#refused(address, response),
        drained: () => this.#drain(),
        ended: (status) => this.#ended(address, status),
      },
    });
  }

  /** A channel of its own for each attempt: an old one may itself wait before it connects again. */
  #channelTo(address: string): Channel | undefined {
    try {
      return this.#parts.connect(address);
    } catch (error) {
      // The address is none.
      this.#log('a peer is not reached', { address }, { err: error });
      this.#connectLater();
      return undefined;
    }
  }

  #connectLater(): void {
    this.#stream = null;
    if (this.#isClosed) return;
    const { random, timers } = this.#parts;
    const waitMs = backoffMs(BETWEEN_ATTEMPTS, this.#attempts++, random);
    this.#timer = timers.after(waitMs, () => this.#connect());
  }

  #accepted(address: string): void {
    this.#isAccepted = true;
    this.#trouble = '';
    this.#parts.logger.info({ peer: this.#peer.id, address }, 'connected to a peer');
    const newest = this.#newest;
    this.#newest = new Map();
    for (const message of newest.values()) this.send(message);
    this.#parts.reachable();
  }

  #refused(address: string, { refusal, detail }: ExchangeResponse): void {
    // One that starts is no trouble.
    if (refusal !== Refusal.NOT_READY) {
      this.#log('a peer refuses this node', { address, reason: detail });
    }
    this.#lost();
    this.#connectLater();
  }

  #ended(address: string, { message }: RpcStatus): void {
    const what = this.#isAccepted ? 'the connection to a peer was lost' : 'a peer is not reached';
    this.#log(what, { address }, { reason: message });
    this.#lost();
    this.#connectLater();
  }

  #lost(): void {
    const wasAccepted = this.#isAccepted;
    this.#isAccepted = false;
    this.#isOverflown = false;
    this.#forgetWaiting();
    if (wasAccepted && !this.#isClosed) this.#parts.unreachable();
  }

  #forgetWaiting(): void {
    this.#waiting = [];
    this.#waitingBytes = 0;
  }

  /** At warn, once until something else happens; `more` makes no difference. */
  #log(what: string, fields: Fields, more: Fields = {}): void {
    const trouble = `${what} ${JSON.stringify(fields)}`;
    if (trouble === this.#trouble) return;
    this.#trouble = trouble;
    this.#parts.logger.warn({ peer: this.#peer.id, ...fields, ...more }, what);
  }
}

type Fields = Readonly<Record<string, unknown>>;

/** Elections and leaders live on them. They are small, and only the newest of each kind matters. */
const isUrgent = ({ kind }: RaftMessage): boolean =>
  kind === 'vote' ||
  kind === 'vote-answer' ||
  kind === 'heartbeat' ||
  kind === 'heartbeat-answer' ||
  kind === 'timeout-now';
