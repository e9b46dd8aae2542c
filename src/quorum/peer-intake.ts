import { CorruptError } from '../codec/reader.ts';
import type { Timer, Timers } from '../env/ports.ts';
import { type Member, sameMember } from '../raft/configuration.ts';
import type { RaftMessage } from '../raft/messages.ts';
import { rpcStatusOf } from '../rpc/error-message.ts';
import { malformedRequest } from '../rpc/method.ts';
import {
  type MessageStream,
  type OnRefused,
  RpcCode,
  type RpcStatus,
  type StreamEvents,
} from '../rpc/transport.ts';
import type { Logger } from '../telemetry/logger.ts';
import { memberKey } from './member-tables.ts';
import {
  exchangeMethod,
  type Hello,
  type PeerFrame,
  PROTOCOL_VERSION,
  Refusal,
} from './peer-frames.ts';

/** The sender is told of what has come when it is so much, so that its window does not run dry. */
const ANSWERED_BYTES = 512 * 1024;
/** Until the first frame. */
const HELLO_TIMEOUT_MS = 5_000;
/** Streams with an accepted hello; a large cluster's nodes all have one to the leader. */
const STREAMS_MAX = 1_024;
/** Different refusals that are remembered, to log each once. */
const REFUSALS_MAX = 100;

export interface IntakeOwner {
  readonly self: Member;
  /** `undefined` until the cluster is formed and Raft runs. */
  readonly clusterId: string | undefined;
  /** A hello was accepted. */
  helloed(hello: Hello): void;
  received(from: Member, message: RaftMessage): void;
}

export interface IntakeParts {
  readonly timers: Timers;
  readonly logger: Logger;
  /** Told of streams that end with an error before anybody has said who he is. */
  readonly onRefused: OnRefused;
}

/** What other nodes send: nobody is listened to whose hello was not accepted. */
export class PeerIntake {
  readonly #owner: IntakeOwner;
  readonly #timers: Timers;
  readonly #logger: Logger;
  readonly #onRefused: OnRefused;
  /** With an accepted hello, by sender. */
  readonly #streams = new Map<string, IncomingStream>();
  readonly #refused = new Set<string>();

  constructor(owner: IntakeOwner, parts: IntakeParts) {
    this.#owner = owner;
    this.#onRefused = parts.onRefused;
    this.#timers = parts.timers;
    this.#logger = parts.logger;
  }

  /** A node has opened a stream. */
  opened(stream: MessageStream, peer: string): StreamEvents {
    return new IncomingStream(stream, peer, this.#timers, {
      hello: (from, hello) => this.#hello(from, hello),
      raft: (from, message) => this.#owner.received(from, message),
      closed: (incoming, status) => this.#closed(incoming, status),
    });
  }

  close(): void {
    for (const stream of this.#streams.values()) stream.fail(STOPPING);
  }

  /** Accepts the hello of a stream, or refuses it. */
  #hello(stream: IncomingStream, hello: Hello): void {
    const reason = this.#reasonAgainst(hello);
    if (reason !== undefined) {
      stream.refuse(...reason);
      this.#logRefusal(stream, hello, ...reason);
      return;
    }
    const key = memberKey(hello.from);
    const before = this.#streams.get(key);
    this.#streams.set(key, stream);
    // The sender has given it up, and perhaps nobody has told us.
    before?.fail(REPLACED);
    stream.accept(hello.from);
    this.#owner.helloed(hello);
  }

  #reasonAgainst(hello: Hello): Reason | undefined {
    const { self, clusterId } = this.#owner;
    const { from, to } = hello;
    const me = `node ${self.id} with data directory ${self.directoryId}`;
    if (hello.protocolVersion !== PROTOCOL_VERSION) {
      const detail = `${me} speaks version ${PROTOCOL_VERSION} of the peer protocol, not ${hello.protocolVersion}; upgrade the older of the two`;
      return [Refusal.UNSUPPORTED_VERSION, detail];
    }
    if (clusterId === undefined) return [Refusal.NOT_READY, `${me} has no cluster yet`];
    if (hello.clusterId !== clusterId) {
      const detail = `${me} is of cluster ${clusterId}, not ${hello.clusterId}: give each node the addresses of its own cluster`;
      return [Refusal.OTHER_CLUSTER, detail];
    }
    if (from.id === self.id) {
      const detail = `${me} has the same id as the node with data directory ${from.directoryId}: give one of them another id`;
      return [Refusal.ID_IN_USE, detail];
    }
    if (!sameMember(to, self)) {
      const detail = `this is ${me}, not node ${to.id} with data directory ${to.directoryId}`;
      return [Refusal.NOT_ME, detail];
    }
    if (this.#streams.size >= STREAMS_MAX && !this.#streams.has(memberKey(from))) {
      return [Refusal.NOT_READY, `${me} has ${STREAMS_MAX} streams of peers`];
    }
    return undefined;
  }

  #logRefusal(stream: IncomingStream, hello: Hello, refusal: number, detail: string): void {
    // Every node that starts is told to come again.
    if (refusal === Refusal.NOT_READY) return;
    const { from, clusterId } = hello;
    const what = JSON.stringify([refusal, from.id, from.directoryId, clusterId]);
    if (this.#refused.has(what)) return;
    if (this.#refused.size >= REFUSALS_MAX) this.#refused.clear();
    this.#refused.add(what);
    const fields = { peer: from.id, address: stream.peer, reason: detail };
    this.#logger.warn(fields, 'a peer was refused');
  }

  #closed(stream: IncomingStream, status: RpcStatus): void {
    const { from } = stream;
    if (from !== null && this.#streams.get(memberKey(from)) === stream) {
      this.#streams.delete(memberKey(from));
    }
    if (quietCodes.has(status.code)) return;
    if (from === null) {
      this.#onRefused('stream without a hello', stream.peer, status.message);
      return;
    }
    const fields = { peer: from.id, address: stream.peer, reason: status.message };
    this.#logger.warn(fields, 'the stream of a peer was ended with an error');
  }
}

type Reason = readonly [refusal: number, detail: string];

/** Of streams that end because somebody has stopped, or the network has. */
const quietCodes: ReadonlySet<RpcCode> = new Set([
  RpcCode.OK,
  RpcCode.CANCELLED,
  RpcCode.UNAVAILABLE,
]);

const REPLACED: RpcStatus = { code: RpcCode.CANCELLED, message: 'a newer stream took its place' };
const STOPPING: RpcStatus = { code: RpcCode.UNAVAILABLE, message: 'the node is shutting down' };

interface IncomingEvents {
  hello(stream: IncomingStream, hello: Hello): void;
  raft(from: Member, message: RaftMessage): void;
  closed(stream: IncomingStream, status: RpcStatus): void;
}

/** The stream of one node. */
class IncomingStream implements StreamEvents {
  /** As the transport names it. */
  readonly peer: string;
  readonly #stream: MessageStream;
  readonly #events: IncomingEvents;
  readonly #helloTimer: Timer;
  #from: Member | null = null;
  #receivedBytes = 0;
  #answeredBytes = 0;
  #isOver = false;

  constructor(stream: MessageStream, peer: string, timers: Timers, events: IncomingEvents) {
    this.#stream = stream;
    this.peer = peer;
    this.#events = events;
    this.#helloTimer = timers.after(HELLO_TIMEOUT_MS, () => this.#malformed('no hello has come'));
  }

  /** Who sends; `null` until its hello is accepted. */
  get from(): Member | null {
    return this.#from;
  }

  accept(from: Member): void {
    this.#from = from;
    this.#answer();
  }

  refuse(refusal: number, detail: string): void {
    this.#isOver = true;
    const { response } = exchangeMethod;
    this.#stream.send(response.encode({ refusal, detail, receivedBytes: 0 }));
    this.#stream.end();
  }

  fail(status: RpcStatus): void {
    this.#isOver = true;
    this.#stream.fail(status);
  }

  onMessage(encoded: Uint8Array): void {
    if (this.#isOver) return;
    this.#receivedBytes += encoded.length;
    let frame: PeerFrame;
    try {
      frame = exchangeMethod.request.decode(encoded);
    } catch (error) {
      if (!(error instanceof CorruptError)) throw error;
      this.fail(rpcStatusOf(malformedRequest(error)));
      return;
    }
    this.#frame(frame);
    if (this.#receivedBytes - this.#answeredBytes >= ANSWERED_BYTES) this.#answer();
  }

  onDrain(): void {}

  onEnd(): void {
    if (!this.#isOver) this.#stream.end();
    this.#isOver = true;
  }

  onClose(status: RpcStatus): void {
    this.#isOver = true;
    this.#helloTimer.cancel();
    this.#events.closed(this, status);
  }

  #frame(frame: PeerFrame): void {
    if (frame.kind === 'hello') {
      if (this.#from !== null) {
        this.#malformed('a hello has come twice');
        return;
      }
      this.#helloTimer.cancel();
      this.#events.hello(this, frame.hello);
    } else if (this.#from === null) {
      this.#malformed('the first frame is not a hello');
    } else if (frame.kind === 'ping') {
      this.#answer();
    } else if (frame.kind === 'raft') {
      this.#events.raft(this.#from, frame.message);
    }
  }

  #answer(): void {
    if (this.#isOver) return;
    this.#answeredBytes = this.#receivedBytes;
    const answer = { refusal: Refusal.NONE, detail: '', receivedBytes: this.#receivedBytes };
    this.#stream.send(exchangeMethod.response.encode(answer));
  }

  #malformed(what: string): void {
    if (!this.#isOver) this.fail(rpcStatusOf(malformedRequest(new CorruptError(what))));
  }
}
