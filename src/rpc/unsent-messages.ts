import { Errors } from '../model/errors.ts';
import { rpcStatusOfRow } from './error-message.ts';
import type { ListenOptions, RpcStatus } from './transport.ts';

type Limits = Pick<ListenOptions, 'memory' | 'stalledReaderMs' | 'onRefused'>;

/** A call that sends, as those see it who may have to end it. */
export interface SendingCall {
  readonly peer: string;
  /** Ends it by name; what stands before the status may still be read, for a short time. */
  fail(status: RpcStatus): void;
  /** Ends it at once: what waits to be sent is dropped. */
  cut(status: RpcStatus): void;
}

/** A message that was handed to grpc-js and has not left. */
interface UnsentMessage {
  readonly outbox: Outbox;
  readonly bytes: number;
  /** When it was handed over. */
  readonly tick: number;
}

/** How often in the time that a message may wait they are looked at. */
export const STALL_TICKS = 4;

/**
 * What waits to be sent on all calls of a listener, charged to the memory that they share. Age decides,
 * not the amount: many clients that take nothing hurt as much with little each. When there is too much,
 * the call goes whose message has waited longest; and no message waits longer than
 * `grpc.stalled.reader.ms`. Time is counted in ticks, so that a process that stood still accuses nobody.
 */
export class UnsentMessages {
  readonly #limits: Limits;
  /** The oldest first. */
  readonly #messages = new Set<UnsentMessage>();
  #ticks = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** False if that is too much: then `shed` is due. */
  add(message: UnsentMessage): boolean {
    this.#messages.add(message);
    return this.#limits.memory.hold(message.bytes);
  }

  remove(message: UnsentMessage): void {
    this.#messages.delete(message);
    this.#limits.memory.give(message.bytes);
  }

  /** How often `tick` was called. */
  get ticks(): number {
    return this.#ticks;
  }

  /** Ends calls until the rest fits, first those whose clients have left a message unread longest. */
  shed(): void {
    const { memory, onRefused } = this.#limits;
    for (const { outbox } of this.#messages) {
      if (memory.hold(0)) return;
      onRefused('queued.max.request.bytes', outbox.call.peer);
      outbox.call.cut(
        rpcStatusOfRow(
          Errors.BROKER_OVERLOADED,
          'requests and answers take all the memory that they may, and this client has left an answer unread longest',
        ),
      );
    }
  }

  /** To be called `STALL_TICKS` times in `stalledReaderMs`. */
  tick(): void {
    const { stalledReaderMs, onRefused } = this.#limits;
    this.#ticks++;
    for (const { outbox, tick } of this.#messages) {
      if (this.#ticks - tick <= STALL_TICKS) return;
      if (outbox.isStalled) continue;
      outbox.isStalled = true;
      onRefused('grpc.stalled.reader.ms', outbox.call.peer);
      const detail = `the client left a message unread for ${stalledReaderMs} ms (grpc.stalled.reader.ms)`;
      outbox.call.fail(rpcStatusOfRow(Errors.SLOW_READER, detail));
    }
  }
}

/** What waits to be sent on one call; messages leave in the order in which they were handed over. */
export class Outbox {
  readonly call: SendingCall;
  readonly #all: UnsentMessages;
  readonly #messages: UnsentMessage[] = [];
  #isClosed = false;
  /** Its client has been told. */
  isStalled = false;

  constructor(call: SendingCall, all: UnsentMessages) {
    this.call = call;
    this.#all = all;
  }

  /** Hands a message over by `send`, which is given what to call when it has left. */
  // Hot path: once an answer.
  send(bytes: number, send: (left: () => void) => void): void {
    if (this.#isClosed) {
      send(this.#left);
      return;
    }
    const message = { outbox: this, bytes, tick: this.#all.ticks };
    this.#messages.push(message);
    const fits = this.#all.add(message);
    send(this.#left);
    if (!fits) this.#all.shed();
  }

  /** What has not left is dropped. */
  close(): void {
    this.#isClosed = true;
    for (const message of this.#messages.splice(0)) this.#all.remove(message);
  }

  readonly #left = (): void => {
    // Nothing, if it was dropped before.
    const message = this.#messages.shift();
    if (message !== undefined) this.#all.remove(message);
  };
}
