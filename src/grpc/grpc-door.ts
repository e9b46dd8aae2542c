import type { Broker } from '../broker/broker.ts';
import type { Clock, Timers } from '../env/ports.ts';
import { ApiError, Errors } from '../model/errors.ts';
import { fetchMethod, produceMethod } from '../rpc/log-service.ts';
import { HandlerTable, type TypedStreamEvents } from '../rpc/method.ts';
import type { OnRefused, RpcStatus } from '../rpc/transport.ts';
import { type ServerFacts, serveAdmin } from './admin-handlers.ts';
import { FetchStream } from './fetch-stream.ts';
import type { GrpcConfig } from './grpc-config.ts';
import { ProduceStream } from './produce-stream.ts';

/** What the door needs of a stream that it has open. */
interface OpenStream<In> extends TypedStreamEvents<In> {
  /** Ends the stream as soon as what was taken is answered. */
  shutdown(): void;
}

/** The gRPC door: everything it serves, and the streams that are open. */
export class GrpcDoor {
  readonly handlers: HandlerTable;
  readonly #open = new Set<OpenStream<never>>();
  readonly #begun = Promise.withResolvers<void>();
  #isStopping = false;

  constructor(
    config: GrpcConfig,
    env: { readonly clock: Clock; readonly timers: Timers },
    broker: Broker,
    facts: Pick<ServerFacts, 'serverVersion'>,
    onRefused: OnRefused,
  ) {
    this.handlers = new HandlerTable(onRefused);
    serveAdmin(this.handlers, broker, { ...facts, maxMessageBytes: config.maxMessageBytes });
    for (const [path, handler] of this.handlers.unary) {
      this.handlers.unary.set(path, async (request, context) => {
        await this.#begun.promise;
        if (this.#isStopping) throw new ApiError(Errors.BROKER_STOPPING);
        return await handler(request, context);
      });
    }
    this.handlers.onStream(produceMethod, (stream) =>
      this.#track(new ProduceStream(config, env, broker, stream)),
    );
    this.handlers.onStream(fetchMethod, (stream) =>
      this.#track(new FetchStream(config, broker, stream)),
    );
  }

  /**
   * The broker is in service. Calls that came before have waited: what they would have been told about
   * topics was nothing. Streams need not, their partitions are refused until they are led.
   */
  begin(): void {
    this.#begun.resolve();
  }

  /**
   * Refuses new calls and ends all streams: readers at once, producers when what they have sent is
   * answered.
   */
  stop(): void {
    this.#isStopping = true;
    this.#begun.resolve();
    for (const stream of this.#open) stream.shutdown();
  }

  #track<In>(stream: OpenStream<In>): TypedStreamEvents<In> {
    this.#open.add(stream);
    // A stream can still arrive between the stop and the end of its connection.
    if (this.#isStopping) stream.shutdown();
    return {
      onMessage: (message) => stream.onMessage(message),
      onDrain: () => stream.onDrain(),
      onEnd: () => stream.onEnd(),
      onClose: (status: RpcStatus) => {
        this.#open.delete(stream);
        stream.onClose(status);
      },
    };
  }
}
