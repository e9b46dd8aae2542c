import {
  Server,
  ServerCredentials,
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
  type ServerUnaryCall,
  type ServiceDefinition,
  type sendUnaryData,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { Timers } from '../env/ports.ts';
import { Errors } from '../model/errors.ts';
import { formatAddress, parseAddress } from './address.ts';
import { rpcStatusOfRow } from './error-message.ts';
import { FLOW_CONTROL_WINDOW_BYTES, raiseServerWindow } from './grpc-internals.ts';
import { GrpcServerCall } from './grpc-server-call.ts';
import { GrpcServerStream } from './grpc-server-stream.ts';
import { addStandardServices, type StandardServices } from './grpc-standard-services.ts';
import { toGrpcStatus } from './grpc-status.ts';
import { toBuffer, toBytes } from './plain-bytes.ts';
import type {
  Listener,
  ListenOptions,
  RpcStatus,
  ServerHandlers,
  TlsOptions,
} from './transport.ts';

/** How long the status of cut streams has to reach the clients before the connections are cut. */
const CUT_GRACE_MS = 200;

export interface GrpcListenerEnv {
  readonly timers: Timers;
  readonly reportUnexpected: (error: unknown) => void;
}

/** The server's half of `GrpcTransport`. */
export async function openGrpcListener(
  address: string,
  service: ServerHandlers,
  options: ListenOptions,
  env: GrpcListenerEnv,
): Promise<Listener> {
  const { host } = parseAddress(address);
  const credentials = serverCredentials(options.tls);
  const listener = new GrpcListener(service, options, env);
  await listener.bind(host, address, credentials);
  return listener;
}

class GrpcListener implements Listener {
  readonly #timers: Timers;
  readonly #reportUnexpected: (error: unknown) => void;
  readonly #server: Server;
  readonly #standard: StandardServices;
  readonly #open = new Set<{ fail(status: RpcStatus): void }>();
  readonly #standardCalls = new Set<ServerInterceptingCallInterface>();
  #address = '';
  #closing: Promise<void> | undefined;

  constructor(service: ServerHandlers, options: ListenOptions, env: GrpcListenerEnv) {
    this.#timers = env.timers;
    this.#reportUnexpected = env.reportUnexpected;
    this.#server = new Server({
      'grpc.max_receive_message_length': options.maxMessageBytes,
      'grpc.max_send_message_length': -1,
      'grpc.max_concurrent_streams': options.maxStreamsPerConnection,
      'grpc.keepalive_time_ms': 30_000,
      'grpc.keepalive_timeout_ms': 10_000,
      'grpc.max_connection_idle_ms': 600_000,
      interceptors: [this.#interceptor(service)],
    });
    if (!raiseServerWindow(this.#server, FLOW_CONTROL_WINDOW_BYTES)) {
      env.reportUnexpected(
        new Error('the receive window stays at 64 KiB: grpc-js has changed inside'),
      );
    }
    this.#server.addService(definitionOf(service), this.#implementationOf(service));
    const names = [...service.unary.keys(), ...service.streams.keys()].map(serviceOf);
    this.#standard = addStandardServices(this.#server, [...new Set(names)], options.reflection);
  }

  get address(): string {
    return this.#address;
  }

  bind(host: string, address: string, credentials: ServerCredentials): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.bindAsync(address, credentials, (error, port) => {
        if (error === null) {
          this.#address = formatAddress({ host, port });
          resolve();
        } else {
          // grpc-js puts what the system said into brackets behind words of its own.
          const reason = /\[listen (.*)\]$/.exec(error.message)?.[1] ?? error.message;
          reject(new Error(`cannot listen on ${address}: ${reason}`, { cause: error }));
        }
      });
    });
  }

  setServing(serving: boolean): void {
    this.#standard.setServing(serving);
  }

  close(graceMs: number): Promise<void> {
    this.#closing ??= this.#close(graceMs);
    return this.#closing;
  }

  async #close(graceMs: number): Promise<void> {
    this.setServing(false);
    const stopping = rpcStatusOfRow(Errors.BROKER_STOPPING);
    // Who watches the health has been told, and is not waited for.
    for (const call of this.#standardCalls) call.sendStatus(toGrpcStatus(stopping));
    await new Promise<void>((resolve) => {
      let cut = this.#timers.after(graceMs, () => {
        for (const call of this.#open) call.fail(stopping);
        cut = this.#timers.after(CUT_GRACE_MS, () => {
          this.#server.forceShutdown();
          resolve();
        });
      });
      // Refuses new connections and calls, and calls back when the open ones have ended.
      this.#server.tryShutdown(() => {
        cut.cancel();
        resolve();
      });
    });
  }

  /** Takes the streams away from grpc-js before it puts a Node stream on top of them. */
  #interceptor(service: ServerHandlers): ServerInterceptor {
    return (method, call) => {
      if (service.unary.has(method.path)) return new ServerInterceptingCall(call);
      const handler = service.streams.get(method.path);
      if (handler === undefined) return this.#standardCall(call);
      const stream = new GrpcServerStream(this.#timers, call, {
        reportUnexpected: this.#reportUnexpected,
        onClosed: () => this.#open.delete(stream),
      });
      const listener = stream.listen((opened, context) => {
        // Not before: of a call that is cancelled earlier grpc-js never tells us the end.
        this.#open.add(stream);
        return handler(opened, context);
      });
      return new ServerInterceptingCall(call, { start: (next) => next(listener) });
    };
  }

  /** A call of health or reflection; their streams end only when the client wants, or when we close. */
  #standardCall(call: ServerInterceptingCallInterface): ServerInterceptingCall {
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          // Not before, for the same reason as above.
          onReceiveMetadata: (metadata, pass) => {
            this.#standardCalls.add(call);
            pass(metadata);
          },
          onCancel: () => this.#standardCalls.delete(call),
        }),
    });
  }

  #implementationOf(service: ServerHandlers): UntypedServiceImplementation {
    const implementation: UntypedServiceImplementation = {};
    for (const [path, handler] of service.unary) {
      implementation[path] = (
        unary: ServerUnaryCall<Uint8Array, Uint8Array>,
        respond: sendUnaryData<Uint8Array>,
      ): void => {
        const call = new GrpcServerCall(unary, respond, {
          reportUnexpected: this.#reportUnexpected,
          onClosed: () => this.#open.delete(call),
        });
        this.#open.add(call);
        void call.run(handler);
      };
    }
    return implementation;
  }
}

/** `varve.v1.LogService` of `/varve.v1.LogService/Produce`. */
const serviceOf = (path: string): string => path.split('/')[1]!;

function definitionOf(service: ServerHandlers): ServiceDefinition {
  const method = (path: string, isStream: boolean): ServiceDefinition[string] => ({
    path,
    requestStream: isStream,
    responseStream: isStream,
    requestSerialize: toBuffer,
    requestDeserialize: toBytes,
    responseSerialize: toBuffer,
    responseDeserialize: toBytes,
  });
  return Object.fromEntries([
    ...[...service.unary.keys()].map((path) => [path, method(path, false)]),
    ...[...service.streams.keys()].map((path) => [path, method(path, true)]),
  ]);
}

function serverCredentials(tls: TlsOptions | undefined): ServerCredentials {
  if (tls === undefined) return ServerCredentials.createInsecure();
  const { ca, cert, key } = tls;
  if (cert === undefined || key === undefined) {
    throw new Error('a TLS listener needs a certificate and its private key');
  }
  return ServerCredentials.createSsl(
    ca === undefined ? null : toBuffer(ca),
    [{ cert_chain: toBuffer(cert), private_key: toBuffer(key) }],
    ca !== undefined,
  );
}
