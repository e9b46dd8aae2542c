import { totalLength } from '../codec/pieces.ts';
import { ByteReader, CorruptError } from '../codec/reader.ts';
import type { Clock, Timer, Timers } from '../env/ports.ts';
import type { Api, OpenRequest, RunRequest } from './api.ts';
import { type Frame, FrameIntake } from './frame-intake.ts';
import { FrameWriter } from './frame-writer.ts';
import type { ListenerFacts, RequestContext } from './request-context.ts';
import {
  type RequestHeader,
  readClientId,
  readRequestHeader,
  writeResponseHeader,
} from './request-header.ts';
import { includes } from './versions.ts';

/** The socket below a connection. */
export interface Wire {
  /** Calls `sent` when the bytes are with the system, or the socket is gone. False asks to wait for `drained`. */
  write(pieces: readonly Uint8Array[], sent: () => void): boolean;
  pause(): void;
  resume(): void;
  /** After what was written, if `isGraceful`. */
  close(isGraceful: boolean): void;
}

/** All APIs that are served, by key. */
export type ApiTable = ReadonlyMap<number, Api>;

/** What a connection is told by its door. */
export interface ConnectionParts extends ListenerFacts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly apis: ApiTable;
  /** A limit, by the name of its setting, or one of few other reasons, has ended the connection. */
  onRefused(reason: string, detail?: string): void;
  onClosed(): void;
}

/** One request, from its last byte to its answer's. */
interface Slot {
  readonly api: Api;
  readonly header: RequestHeader;
  readonly clientId: string;
  readonly version: number;
  /** Once it is decoded. */
  run: RunRequest | null;
  /** Of the memory: its frame, and what is made of it. */
  heldBytes: number;
  /** Once there is an answer; null is none. */
  answer: readonly Uint8Array[] | null | undefined;
  /** The connection ends in its place. */
  isRefused: boolean;
  onSent: (() => void)[];
  onClosed: (() => void)[];
}

const API_VERSIONS_KEY = 18;
/** How often in the shortest of its limits a connection looks at the clock. */
const LOOKS = 4;

/**
 * One connection of a Kafka client, without its socket: bytes in, bytes out.
 *
 * Requests are answered in the order in which they came. One begins when all before it are answered, so
 * that it finds what they did; produce requests begin at once behind each other, in order, so that their
 * batches share commits. While too much is unanswered, unsent, or in memory, nothing is read.
 */
export class Connection {
  readonly #wire: Wire;
  readonly #parts: ConnectionParts;
  readonly #intake: FrameIntake;
  /** In order; the first `#begun` have begun. */
  readonly #slots: Slot[] = [];
  #begun = 0;
  /** A frame whose heap there is no room for yet. */
  #waiting: { readonly slot: Slot; readonly opened: OpenRequest } | null = null;
  #waitsForRoom = false;
  /** Since when there is no room for what comes next; null while there is. */
  #roomlessSinceMs: number | null = null;
  #isWireFull = false;
  #isClosed = false;
  /** Why nothing more is read, and the connection ends behind the answers to what came before. */
  #refusal: { readonly reason: string; readonly detail: string } | null = null;
  #isStopping = false;
  /** Of answers that are not with the system yet. */
  #unsent = 0;
  #timer: Timer | null = null;
  #activeMs: number;
  #frameSinceMs: number;
  #unsentSinceMs: number;

  constructor(wire: Wire, parts: ConnectionParts) {
    this.#wire = wire;
    this.#parts = parts;
    this.#intake = new FrameIntake(parts.config.maxRequestBytes, parts.broker.memory);
    const nowMs = parts.clock.monotonicMs();
    this.#activeMs = nowMs;
    this.#frameSinceMs = nowMs;
    this.#unsentSinceMs = nowMs;
    this.#watch();
  }

  /** Takes in what arrived. */
  data(bytes: Uint8Array): void {
    if (this.#isClosed) return;
    if (!this.#intake.isInFrame) this.#frameSinceMs = this.#parts.clock.monotonicMs();
    this.#intake.push(bytes);
    // Nothing may come while what came is not taken in; what is in Node's hands comes all the same.
    this.#wire.pause();
    this.#proceed();
  }

  /** The socket takes more again. */
  drained(): void {
    this.#isWireFull = false;
    this.#restartFrameClock();
    this.#proceed();
  }

  /** Reads no more; ends when what has come is answered. */
  stop(): void {
    this.#isStopping = true;
    this.#wire.pause();
    if (this.#slots.length === 0) this.#close(true);
  }

  /** The socket is gone. */
  closed(): void {
    this.#close(false);
  }

  #proceed(): void {
    try {
      this.#takeFrames();
    } catch (error) {
      if (error instanceof CorruptError) this.#refuseInTurn('malformed request', error.message);
      else this.#fail('a Kafka request', error);
    }
  }

  #takeFrames(): void {
    const { memory } = this.#parts.broker;
    while (this.#mayTake()) {
      if (this.#waiting !== null) {
        const { slot, opened } = this.#waiting;
        if (!memory.tryHold(opened.heapBytes)) {
          this.#waitForRoom();
          return;
        }
        this.#roomlessSinceMs = null;
        slot.heldBytes += opened.heapBytes;
        this.#waiting = null;
        slot.run = this.#decode(slot, opened);
        this.#slots.push(slot);
        this.#begin();
        continue;
      }
      const frame = this.#intake.next();
      if (frame === 'no-room') {
        this.#waitForRoom();
        return;
      }
      this.#roomlessSinceMs = null;
      if (frame === 'more') {
        this.#wire.resume();
        return;
      }
      this.#open(frame);
    }
  }

  #decode(slot: Slot, opened: OpenRequest): RunRequest {
    try {
      return opened.decode();
    } catch (error) {
      this.#parts.broker.memory.give(slot.heldBytes);
      throw error;
    }
  }

  #mayTake(): boolean {
    if (this.#isClosed || this.#isStopping || this.#refusal !== null) return false;
    if (this.#isWireFull || this.#waitsForRoom) return false;
    return this.#slots.length < this.#parts.config.pipelinedRequests;
  }

  #waitForRoom(): void {
    const { memory } = this.#parts.broker;
    const heldBytes = this.#intake.heldBytes + (this.#waiting?.slot.heldBytes ?? 0);
    // If half of all is too little, or is held by those who wait, waiting would not end.
    if (memory.hasRoom || !memory.whenRoom(this.#onRoom, heldBytes)) {
      this.#refuse('queued.max.request.bytes');
      return;
    }
    this.#waitsForRoom = true;
    this.#roomlessSinceMs ??= this.#parts.clock.monotonicMs();
  }

  /** While answers were due or not taken, nothing was read: that time is not the client's. */
  #restartFrameClock(): void {
    this.#frameSinceMs = this.#parts.clock.monotonicMs();
  }

  /** Called inside a `give` of somebody else: it is not the time to work. */
  readonly #onRoom = (): void => {
    this.#parts.timers.nextTurn(() => {
      this.#waitsForRoom = false;
      this.#proceed();
    });
  };

  /** Makes a request of a frame; it is given room and begins in the next step. */
  #open({ bytes, heldBytes }: Frame): void {
    const nowMs = this.#parts.clock.monotonicMs();
    this.#activeMs = nowMs;
    this.#frameSinceMs = nowMs;
    try {
      const reader = new ByteReader(bytes);
      const header = readRequestHeader(reader);
      const api = this.#parts.apis.get(header.apiKey);
      const isVersionQuestion = header.apiKey === API_VERSIONS_KEY;
      const isServed = api !== undefined && includes(api.versions, header.apiVersion);
      if (api === undefined || (!isServed && !isVersionQuestion)) {
        const what = `version ${header.apiVersion} of API ${header.apiKey}`;
        this.#parts.broker.memory.give(heldBytes);
        this.#refuseInTurn('version not served', `${what}; ApiVersions says what is served`);
        return;
      }
      // An unknown version of that one question is answered by what there is, in version 0 (KIP-511).
      const version = isServed ? header.apiVersion : 0;
      const clientId = isServed ? readClientId(reader, includes(api.flexible, version)) : '';
      const body = isServed ? bytes.subarray(reader.position) : new Uint8Array(0);
      const opened = api.open(body, version);
      const slot: Slot = {
        api,
        header,
        clientId,
        version,
        run: null,
        heldBytes,
        answer: undefined,
        isRefused: false,
        onSent: [],
        onClosed: [],
      };
      this.#waiting = { slot, opened };
    } catch (error) {
      this.#parts.broker.memory.give(heldBytes);
      throw error;
    }
  }

  /** Begins what may begin. */
  #begin(): void {
    while (this.#begun < this.#slots.length) {
      const slot = this.#slots[this.#begun]!;
      const isAlone = this.#begun === 0;
      if (!isAlone && !(slot.api.overlaps && this.#slots[0]!.api.overlaps)) return;
      this.#begun++;
      void this.#run(slot, slot.run!);
    }
  }

  /** Never rejects: also an answer that cannot be written ends only its connection. */
  async #run(slot: Slot, run: RunRequest): Promise<void> {
    try {
      const answer = await run(this.#contextOf(slot));
      if (this.#isClosed) return;
      slot.answer = answer === null ? null : this.#frameOf(slot, answer);
      this.#send();
    } catch (error) {
      this.#fail(slot.api.name, error);
    }
  }

  /** Nobody expected it. */
  #fail(what: string, error: unknown): void {
    if (this.#isClosed) return;
    this.#parts.broker.reportUnexpected(what, error);
    this.#close(false);
  }

  #contextOf(slot: Slot): RequestContext {
    const { broker, config, endpoints } = this.#parts;
    return {
      broker,
      config,
      endpoints,
      version: slot.header.apiVersion,
      clientId: slot.clientId,
      close: () => {
        slot.isRefused = true;
      },
      whenSent: (fn) => {
        if (this.#isClosed) fn();
        else slot.onSent.push(fn);
      },
      whenClosed: (fn) => {
        if (this.#isClosed) fn();
        else slot.onClosed.push(fn);
      },
    };
  }

  #frameOf({ api, header, version }: Slot, answer: (writer: FrameWriter) => void): Uint8Array[] {
    const writer = new FrameWriter();
    const isFlexible = api.hasFlexibleHeader && includes(api.flexible, version);
    writeResponseHeader(writer, header.correlationId, isFlexible);
    answer(writer);
    return writer.finish();
  }

  /** Sends all answers whose turn it is. */
  #send(): void {
    while (this.#slots[0]?.answer !== undefined && !this.#isClosed) {
      const slot = this.#slots.shift()!;
      this.#begun--;
      this.#activeMs = this.#parts.clock.monotonicMs();
      if (slot.answer === null) this.#finish(slot);
      else this.#write(slot, slot.answer!);
      if (slot.isRefused) this.#refuse('acks=0 and not stored');
    }
    if (this.#isClosed) return;
    this.#restartFrameClock();
    // Others have their turn first: answers that need no waiting would follow each other for seconds.
    const hasMore = this.#begun < this.#slots.length || this.#intake.hasRest;
    if (hasMore) this.#parts.timers.nextTurn(() => this.#goOn());
    else this.#goOn();
  }

  /** With what came behind the requests that were answered. */
  #goOn(): void {
    if (this.#isClosed) return;
    this.#begin();
    if (this.#isStopping && this.#slots.length === 0) this.#close(true);
    else this.#proceed();
    this.#endInTurn();
  }

  #write(slot: Slot, pieces: readonly Uint8Array[]): void {
    const { memory } = this.#parts.broker;
    memory.give(slot.heldBytes);
    slot.heldBytes = totalLength(pieces);
    const hasRoom = memory.hold(slot.heldBytes);
    if (this.#unsent === 0) this.#unsentSinceMs = this.#activeMs;
    this.#unsent++;
    const takesMore = this.#wire.write(pieces, () => {
      this.#unsent--;
      this.#unsentSinceMs = this.#parts.clock.monotonicMs();
      this.#finish(slot);
      this.#endInTurn();
    });
    if (takesMore) return;
    this.#isWireFull = true;
    // Answers that nobody reads have filled the memory.
    if (!hasRoom) this.#refuse('queued.max.request.bytes');
  }

  #finish(slot: Slot): void {
    this.#parts.broker.memory.give(slot.heldBytes);
    slot.heldBytes = 0;
    for (const fn of slot.onSent) fn();
    slot.onSent = [];
  }

  #watch(): void {
    const { connectionIdleMs, requestTimeoutMs, stalledReaderMs } = this.#parts.config;
    const shortestMs = Math.min(connectionIdleMs, requestTimeoutMs, stalledReaderMs);
    this.#timer = this.#parts.timers.after(Math.ceil(shortestMs / LOOKS), () => {
      const limit = this.#exceeded(this.#parts.clock.monotonicMs());
      if (limit === null) this.#watch();
      else this.#refuse(limit);
    });
  }

  #exceeded(nowMs: number): string | null {
    const { connectionIdleMs, requestTimeoutMs, stalledReaderMs } = this.#parts.config;
    if (this.#unsent > 0) {
      return nowMs - this.#unsentSinceMs >= stalledReaderMs ? 'kafka.stalled.reader.ms' : null;
    }
    if (this.#slots.length > 0) return null;
    if (this.#intake.isInFrame || this.#roomlessSinceMs !== null) {
      const sinceMs = this.#roomlessSinceMs ?? this.#frameSinceMs;
      return nowMs - sinceMs >= requestTimeoutMs ? 'kafka.request.timeout.ms' : null;
    }
    return nowMs - this.#activeMs >= connectionIdleMs ? 'kafka.connections.max.idle.ms' : null;
  }

  /** As Kafka does, which reads a request when those before it are answered. */
  #refuseInTurn(reason: string, detail: string): void {
    this.#refusal = { reason, detail };
    this.#wire.pause();
    this.#endInTurn();
  }

  #endInTurn(): void {
    if (this.#refusal === null || this.#slots.length > 0 || this.#unsent > 0) return;
    this.#refuse(this.#refusal.reason, this.#refusal.detail);
  }

  #refuse(reason: string, detail?: string): void {
    if (this.#isClosed) return;
    this.#parts.onRefused(reason, detail);
    this.#close(false);
  }

  #close(isGraceful: boolean): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const { memory } = this.#parts.broker;
    this.#timer?.cancel();
    memory.stopWaiting(this.#onRoom);
    memory.give(this.#intake.heldBytes);
    const slots = [...this.#slots, ...(this.#waiting === null ? [] : [this.#waiting.slot])];
    for (const slot of slots) {
      for (const fn of slot.onClosed) fn();
      this.#finish(slot);
    }
    this.#wire.close(isGraceful);
    this.#parts.onClosed();
  }
}
