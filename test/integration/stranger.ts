import { fileURLToPath } from 'node:url';
import {
  Channel,
  type ChannelCredentials,
  type ClientDuplexStream,
  type ClientOptions,
  connectivityState,
  credentials,
  type GrpcObject,
  loadPackageDefinition,
  type ServiceClientConstructor,
  type ServiceError,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { protoPath as healthProto } from 'grpc-health-check';

const reflectionProto = fileURLToPath(
  new URL(
    '../../node_modules/@grpc/reflection/build/proto/grpc/reflection/v1/reflection.proto',
    import.meta.url,
  ),
);

/** Everything a stranger has: the files of `proto/` and the two standard services. */
const packages = loadPackageDefinition(
  loadSync(['varve/v1/admin.proto', 'varve/v1/log.proto', healthProto, reflectionProto], {
    includeDirs: [fileURLToPath(new URL('../../proto', import.meta.url))],
    longs: Number,
    enums: String,
    defaults: true,
    keepCase: true,
  }),
);

function constructorOf(service: string): ServiceClientConstructor {
  let at: unknown = packages;
  for (const name of service.split('.')) at = (at as GrpcObject)[name];
  return at as ServiceClientConstructor;
}

/** A message as proto-loader makes it: what stands in the proto, by its names there. */
// biome-ignore lint/suspicious/noExplicitAny: a stranger has no types of ours
export type Message = any;
export type Stream = ClientDuplexStream<Message, Message>;

export interface StrangerOptions {
  readonly credentials?: ChannelCredentials;
  readonly channel?: ClientOptions;
}

/** A client with one connection and no line of ours: grpc-js and what it makes of the protos. */
export class Stranger implements Disposable {
  readonly #channel: Channel;

  constructor(address: string, options: StrangerOptions = {}) {
    this.#channel = new Channel(address, options.credentials ?? credentials.createInsecure(), {
      // Not shared with other strangers of this process.
      'grpc.use_local_subchannel_pool': 1,
      'grpc.max_send_message_length': -1,
      'grpc.max_receive_message_length': -1,
      ...options.channel,
    });
  }

  get isConnected(): boolean {
    return this.#channel.getConnectivityState(false) === connectivityState.READY;
  }

  /** Calls `varve.v1.AdminService/CreateTopics` and the like; fails with grpc-js's `ServiceError`. */
  unary(method: string, request: Message): Promise<Message> {
    return new Promise((resolve, reject) => {
      const answer = (error: ServiceError | null, response: Message): void => {
        if (error === null) resolve(response);
        else reject(error);
      };
      this.#method(method)(request, { deadline: Date.now() + 20_000 }, answer);
    });
  }

  stream(method: string): Stream {
    const stream = this.#method(method)() as Stream;
    // It may come at any time, and one that nobody listens for would end the process.
    stream.once('error', (error) => failures.set(stream, error as ServiceError));
    return stream;
  }

  [Symbol.dispose](): void {
    this.#channel.close();
  }

  #method(path: string): (...args: unknown[]) => unknown {
    const [service, name] = path.split('/') as [string, string];
    const client = new (constructorOf(service))('', credentials.createInsecure(), {
      channelOverride: this.#channel,
    });
    const method = client[name] as (...args: unknown[]) => unknown;
    return method.bind(client);
  }
}

export const ADMIN = 'varve.v1.AdminService';
export const LOG = 'varve.v1.LogService';

/** How streams have failed. */
const failures = new WeakMap<Stream, ServiceError>();

/** The next message of a stream; fails with its status if it ends before. */
export function nextMessage(stream: Stream): Promise<Message> {
  return new Promise((resolve, reject) => {
    const onData = (message: Message): void => {
      stream.pause();
      settle(() => resolve(message));
    };
    const onError = (error: Error): void => settle(() => reject(error));
    const onEnd = (): void => settle(() => reject(new Error('the stream ended')));
    const settle = (done: () => void): void => {
      stream.off('data', onData);
      stream.off('error', onError);
      stream.off('end', onEnd);
      done();
    };
    stream.on('data', onData).on('error', onError).on('end', onEnd).resume();
  });
}

/** The error with which a stream ends; what it brings before that is thrown away. */
export function endOf(stream: Stream): Promise<ServiceError> {
  const failure = failures.get(stream);
  if (failure !== undefined) return Promise.resolve(failure);
  return new Promise((resolve, reject) => {
    stream.once('error', (error) => resolve(error as ServiceError));
    stream.once('end', () => reject(new Error('the stream ended without an error')));
    stream.resume();
  });
}

/** The names that our trailers give for an error. */
export const errorName = (error: ServiceError): string | undefined =>
  error.metadata.get('varve-error-name')[0]?.toString();

/** Sends requests, one after another, to a Produce stream and returns what became of their partitions. */
export async function produce(
  stranger: Stranger,
  requests: readonly Message[],
): Promise<Message[]> {
  const stream = stranger.stream(`${LOG}/Produce`);
  // The first message only grants credit.
  await nextMessage(stream);
  const answers: Message[] = [];
  for (const [at, request] of requests.entries()) {
    stream.write({ correlation_id: at + 1, ...request });
    answers.push(...(await nextMessage(stream)).partitions);
  }
  stream.end();
  for await (const _ of stream) throw new Error('an answer that nobody asked for');
  return answers;
}
