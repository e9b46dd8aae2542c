import {
  type CallContext,
  type CallOptions,
  type Channel,
  type MessageStream,
  RpcCode,
  type RpcStatus,
  type ServerHandlers,
  type StreamEvents,
} from './transport.ts';

/** Turns a message into bytes and back. `decode` throws `CorruptError`. */
export interface MessageCodec<T> {
  encode(message: T): Uint8Array;
  decode(bytes: Uint8Array): T;
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
export interface TypedStream<Out> extends Omit<MessageStream, 'send'> {
  send(message: Out): boolean;
}

/** Calls a unary method. Fails with `RpcError`. */
export async function call<Request, Response>(
  channel: Channel,
  method: Method<Request, Response>,
  request: Request,
  options: CallOptions,
): Promise<Response> {
  return method.response.decode(
    await channel.unary(method.path, method.request.encode(request), options),
  );
}

/** Opens a bidirectional stream of a method. A message that cannot be decoded ends the stream. */
export function openStream<Request, Response>(
  channel: Channel,
  method: Method<Request, Response>,
  events: TypedStreamEvents<Response>,
): TypedStream<Request> {
  let stream: MessageStream | undefined;
  const decoding = decodingEvents(method.response, events, (status) => stream?.fail(status));
  stream = channel.stream(method.path, decoding);
  return encodingStream(stream, method.request);
}

/** The handlers of a server, collected method by method. */
export class HandlerTable implements ServerHandlers {
  readonly unary: Map<string, (request: Uint8Array, context: CallContext) => Promise<Uint8Array>> =
    new Map();
  readonly streams: Map<string, (stream: MessageStream, context: CallContext) => StreamEvents> =
    new Map();

  onCall<Request, Response>(
    method: Method<Request, Response>,
    handler: (request: Request, context: CallContext) => Promise<Response>,
  ): void {
    this.unary.set(method.path, async (request, context) =>
      method.response.encode(await handler(method.request.decode(request), context)),
    );
  }

  onStream<Request, Response>(
    method: Method<Request, Response>,
    handler: (stream: TypedStream<Response>, context: CallContext) => TypedStreamEvents<Request>,
  ): void {
    this.streams.set(method.path, (stream, context) =>
      decodingEvents(
        method.request,
        handler(encodingStream(stream, method.response), context),
        (status) => stream.fail(status),
      ),
    );
  }
}

function encodingStream<Out>(stream: MessageStream, codec: MessageCodec<Out>): TypedStream<Out> {
  return {
    send: (message) => stream.send(codec.encode(message)),
    pause: () => stream.pause(),
    resume: () => stream.resume(),
    end: () => stream.end(),
    fail: (status) => stream.fail(status),
  };
}

function decodingEvents<In>(
  codec: MessageCodec<In>,
  events: TypedStreamEvents<In>,
  fail: (status: RpcStatus) => void,
): StreamEvents {
  return {
    onMessage: (bytes) => {
      let message: In;
      try {
        message = codec.decode(bytes);
      } catch (error) {
        fail({
          code: RpcCode.INVALID_ARGUMENT,
          message: `malformed message: ${(error as Error).message}`,
        });
        return;
      }
      events.onMessage(message);
    },
    onDrain: () => events.onDrain(),
    onEnd: () => events.onEnd(),
    onClose: (status) => events.onClose(status),
  };
}
