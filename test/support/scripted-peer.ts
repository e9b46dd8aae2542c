import { exchangeMethod, type PeerFrame } from '../../src/quorum/peer-frames.ts';
import type { MessageStream, StreamEvents } from '../../src/rpc/transport.ts';

/** A peer that does only what the test says; it keeps all that comes. */
export class ScriptedPeer {
  readonly streams: ScriptedStream[] = [];

  /** For the handlers of a listener. */
  readonly open = (stream: MessageStream): StreamEvents => {
    const scripted = new ScriptedStream(stream);
    this.streams.push(scripted);
    return scripted;
  };

  /** The newest. */
  get stream(): ScriptedStream {
    return this.streams.at(-1)!;
  }
}

export class ScriptedStream implements StreamEvents {
  readonly frames: PeerFrame[] = [];
  readonly stream: MessageStream;
  receivedBytes = 0;
  isClosed = false;
  /** Answers pings by itself. */
  isAlive = false;

  constructor(stream: MessageStream) {
    this.stream = stream;
  }

  get kinds(): string[] {
    return this.frames.map((frame) => (frame.kind === 'raft' ? frame.message.kind : frame.kind));
  }

  /** Says how much has come. */
  answer(refusal = 0, detail = ''): void {
    const { receivedBytes } = this;
    this.stream.send(exchangeMethod.response.encode({ refusal, detail, receivedBytes }));
  }

  onMessage(encoded: Uint8Array): void {
    this.receivedBytes += encoded.length;
    const frame = exchangeMethod.request.decode(encoded);
    this.frames.push(frame);
    if (this.isAlive && frame.kind === 'ping') this.answer();
  }

  onDrain(): void {}
  onEnd(): void {}

  onClose(): void {
    this.isClosed = true;
  }
}
