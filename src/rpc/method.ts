import { CorruptError } from '../codec/reader.ts';
import { ApiError, Errors } from '../model/errors.ts';
import { rpcStatusOf } from './error-message.ts';
import {
  type CallContext,
  type CallOptions,
  type Channel,
  type MessageStream,
  type OnRefused,
  RpcCode,
  RpcError,
  type RpcStatus,
  type ServerHandlers,
  type StreamEvents,
} from './transport.ts';

/** Turns a message into bytes and back. `decode` throws `CorruptError`. */
export interface MessageCodec<T> {
  encode(message: T): Uint8Array;
  decode(bytes: Uint8Array): T;
  /** As `encode`, in pieces: large parts of the message are handed on as they are, not copied. */
  encodePieces?(message: T): Uint8Array[];
}

/** A method of a service: its path and how its messages are written. */
export interface Method<Request, Response> {
  /** `/package.Service/Method`. */
  readonly path: string;
  readonly request: MessageCodec<Request>;
  readonly response: MessageCodec<Response>;
}

/** `StreamEvents` with decoded messages. */
export interface TypedStreamEvents<In> extends Omit<StreamEvents, 'onMessage'> {
  onMessage(message: In): void;
}

/** `MessageStream` that encodes what it sends. */
export interface TypedStream<Out> extends Omit<MessageStream, 'send' | 'sendPieces'> {
  send(message: Out): boolean;
  /** `send` of a message whose parts must not change until `sent` (`MessageStream.sendPieces`). */
  sendShared(message: Out, sent: () => void): boolean;
}

/** Calls a unary method. Fails with `RpcError`. */
export async function call<Request, Response>(
  channel: Channel,
  method: Method<Request, Response>,
  request: Request,
  options: CallOptions,
): Promise<Response> {
  const bytes = await channel.unary(method.path, method.request.encode(request), options);
  return decodeOr(method.response, bytes, (error) => {
    throw new RpcError(malformedAnswer(error));
  });
}

/**
 * Opens a bidirectional stream of a method. An answer that cannot be decoded ends it with
 * INTERNAL.
 */
export function openStream<Request, Response>(
  channel: Channel,
  method: Method<Request, Response>,
  events: TypedStreamEvents<Response>,
): TypedStream<Request> {
  const decoding = decodingEvents(method.response, events, (error) =>
    // No event comes before `stream` has returned.
    stream.fail(malformedAnswer(error)),
  );
  const stream = channel.stream(method.path, decoding);
  return encodingStream(stream, method.request);
}

/**
 * The handlers of a server, collected method by method. A request that cannot be decoded is answered
 * with INVALID_REQUEST; on a stream it ends the stream.
 */
export class HandlerTable implements ServerHandlers {
  readonly unary: Map<string, (request: Uint8Array, context: CallContext) => Promise<Uint8Array>> =
    new Map();
  readonly streams: Map<string, (stream: MessageStream, context: CallContext) => StreamEvents> =
    new Map();
  readonly #onRefused: OnRefused;

  /** @param onRefused told of requests that cannot be decoded */
  constructor(onRefused: OnRefused = () => {}) {
    this.#onRefused = onRefused;
  }

  onCall<Request, Response>(
    method: Method<Request, Response>,
    handler: (request: Request, context: CallContext) => Promise<Response>,
  ): void {
    this.unary.set(method.path, async (bytes, context) => {
      const request = decodeOr(method.request, bytes, (error) => {
        throw this.#refuse(error, context);
      });
      return method.response.encode(await handler(request, context));
    });
  }

  onStream<Request, Response>(
    method: Method<Request, Response>,
    handler: (stream: TypedStream<Response>, context: CallContext) => TypedStreamEvents<Request>,
  ): void {
    this.streams.set(method.path, (stream, context) =>
      decodingEvents(
        method.request,
        handler(encodingStream(stream, method.response), context),
        (error) => stream.fail(rpcStatusOf(this.#refuse(error, context))),
      ),
    );
  }

  #refuse(error: CorruptError, { peer }: CallContext): ApiError {
    this.#onRefused('malformed request', peer, error.message);
    return malformedRequest(error);
  }
}

/** What a peer is told whose request cannot be decoded. */
export const malformedRequest = (error: CorruptError): ApiError =>
  new ApiError(Errors.INVALID_REQUEST, `malformed request: ${error.message}`, { cause: error });

const malformedAnswer = (error: CorruptError): RpcStatus => ({
  code: RpcCode.INTERNAL,
  message: `malformed answer: ${error.message}`,
});

/** Decodes; bytes that are not a message go to `refuse`, anything else is a bug and is thrown. */
function decodeOr<T, Refused>(
  codec: MessageCodec<T>,
  bytes: Uint8Array,
  refuse: (error: CorruptError) => Refused,
): T | Refused {
  try {
    return codec.decode(bytes);
  } catch (error) {
    if (error instanceof CorruptError) return refuse(error);
    throw error;
  }
}

function encodingStream<Out>(stream: MessageStream, codec: MessageCodec<Out>): TypedStream<Out> {
  return {
    send: (message) => stream.send(codec.encode(message)),
    sendShared: (message, sent) =>
      stream.sendPieces(codec.encodePieces?.(message) ?? [codec.encode(message)], sent),
    pause: () => stream.pause(),
    resume: () => stream.resume(),
    end: () => stream.end(),
    fail: (status) => stream.fail(status),
  };
}

function decodingEvents<In>(
  codec: MessageCodec<In>,
  events: TypedStreamEvents<In>,
  refuse: (error: CorruptError) => void,
): StreamEvents {
  return {
    onMessage: (bytes) => {
      const message = decodeOr(codec, bytes, (error) => {
        refuse(error);
        return undefined;
      });
      if (message !== undefined) events.onMessage(message);
    },
    onDrain: () => events.onDrain(),
    onEnd: () => events.onEnd(),
    onClose: (status) => events.onClose(status),
  };
}
