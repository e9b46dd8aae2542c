import {
  type Responder,
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
import type { Timer, Timers } from '../env/ports.ts';
import { type ErrorRow, Errors } from '../model/errors.ts';
import { formatAddress, parseAddress } from './address.ts';
import { ConnectionGuard } from './connection-guard.ts';
import { rpcStatusOfRow } from './error-message.ts';
import { replaceDecoder, resetCall, setUpSessions } from './grpc-internals.ts';
import { GrpcServerCall, peerName } from './grpc-server-call.ts';
import { GrpcServerStream } from './grpc-server-stream.ts';
import { addStandardServices, type StandardServices } from './grpc-standard-services.ts';
import { toGrpcStatus } from './grpc-status.ts';
import { MessageIntake } from './message-intake.ts';
import { toBuffer, toBytes } from './plain-bytes.ts';
import type {
  Listener,
  ListenOptions,
  RpcStatus,
  ServerHandlers,
  TlsOptions,
} from './transport.ts';
import { Outbox, STALL_TICKS, UnsentMessages } from './unsent-messages.ts';

/** What one connection may make Node's HTTP/2 hold, in MiB; beyond it new streams are refused. */
const MAX_SESSION_MIB = 256;
/** How often in its time a message that is arriving is looked at. */
const TICKS = 4;
/** No answer of health or reflection, which are no bytes yet when they are charged, is larger. */
const STANDARD_ANSWER_BYTES = 64 * 1024;
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
  readonly #options: ListenOptions;
  readonly #server: Server;
  readonly #standard: StandardServices;
  readonly #open = new Set<{ fail(status: RpcStatus): void }>();
  readonly #standardCalls = new Set<ServerInterceptingCallInterface>();
  /** Of the calls that are open, with what ends one. */
  readonly #intakes = new Map<MessageIntake, (row: ErrorRow, detail: string) => void>();
  readonly #unsent: UnsentMessages;
  readonly #stops: readonly (() => void)[];
  #address = '';
  #closing: Promise<void> | undefined;

  constructor(service: ServerHandlers, options: ListenOptions, env: GrpcListenerEnv) {
    this.#timers = env.timers;
    this.#reportUnexpected = env.reportUnexpected;
    this.#options = options;
    this.#server = new Server({
      'grpc.max_receive_message_length': options.maxMessageBytes,
      'grpc.max_send_message_length': -1,
      'grpc.max_concurrent_streams': options.maxStreamsPerConnection,
      'grpc.keepalive_time_ms': 30_000,
      'grpc.keepalive_timeout_ms': 10_000,
      'grpc.max_connection_idle_ms': options.connectionIdleMs,
      'grpc-node.max_session_memory': MAX_SESSION_MIB,
      interceptors: [this.#interceptor(service)],
    });
    const guard = new ConnectionGuard(options, env.timers);
    const isSetUp = setUpSessions(this.#server, options.handshakeTimeoutMs, (server) =>
      guard.watch(server),
    );
    if (!isSetUp) {
      env.reportUnexpected(
        new Error('connections are not limited and slow: grpc-js has changed inside'),
      );
    }
    this.#unsent = new UnsentMessages(options);
    this.#stops = [
      this.#every(options.messageTimeoutMs / TICKS, () => this.#endLateMessages()),
      this.#every(options.stalledReaderMs / STALL_TICKS, () => this.#unsent.tick()),
    ];
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
    for (const stop of this.#stops) stop();
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
      const handler = service.streams.get(method.path);
      if (handler === undefined) return this.#unaryCall(call, service.unary.has(method.path));
      const end = (row: ErrorRow, detail: string): void => stream.fail(rpcStatusOfRow(row, detail));
      const intake = this.#makeIntake(call, end);
      const stream = new GrpcServerStream(this.#timers, call, intake, this.#unsent, {
        reportUnexpected: this.#reportUnexpected,
        onClosed: () => {
          this.#open.delete(stream);
          this.#intakes.delete(intake);
        },
      });
      const listener = stream.listen((opened, context) => {
        // Not before: of a call that is cancelled earlier grpc-js never tells us the end.
        this.#open.add(stream);
        this.#intakes.set(intake, end);
        intake.open();
        return handler(opened, context);
      });
      return new ServerInterceptingCall(call, { start: (next) => next(listener) });
    };
  }

  /** Puts our own decoder of messages into a call; `end` ends it when it may not go on. */
  #makeIntake(
    call: ServerInterceptingCallInterface,
    end: (row: ErrorRow, detail: string) => void,
  ): MessageIntake {
    const intake = new MessageIntake(this.#options, (row, detail) => {
      this.#options.onRefused(limitOf(row), peerName(call.getPeer()));
      end(row, detail);
    });
    if (!replaceDecoder(call, intake)) {
      this.#reportUnexpected(new Error('messages are not bounded: grpc-js has changed inside'));
    }
    return intake;
  }

  /** Returns how to stop that. */
  #every(ms: number, work: () => void): () => void {
    const again = (): Timer =>
      this.#timers.after(ms, () => {
        timer = again();
        work();
      });
    let timer = again();
    return () => timer.cancel();
  }

  #endLateMessages(): void {
    for (const [intake, end] of this.#intakes) {
      if (intake.tick() <= TICKS) continue;
      const detail = `a message did not arrive within ${this.#options.messageTimeoutMs} ms (grpc.message.timeout.ms)`;
      intake.close();
      this.#options.onRefused('grpc.message.timeout.ms', '');
      end(Errors.REQUEST_TIMED_OUT, detail);
    }
  }

  /**
   * A unary call, or one of health or reflection: their streams end only when the client wants, or when
   * we close.
   */
  #unaryCall(call: ServerInterceptingCallInterface, isOurs: boolean): ServerInterceptingCall {
    const end = (row: ErrorRow, detail: string): void =>
      call.sendStatus(toGrpcStatus(rpcStatusOfRow(row, detail)));
    const intake = this.#makeIntake(call, end);
    intake.isAwaited = isOurs;
    intake.isKept = isOurs;
    const cut = (): void => {
      outbox.close();
      resetCall(call);
    };
    // Its client does not read: no status would reach it.
    const outbox = new Outbox({ peer: peerName(call.getPeer()), fail: cut, cut }, this.#unsent);
    return new ChargedCall(call, outbox, {
      start: (next) =>
        next({
          // Not before, for the same reason as above.
          onReceiveMetadata: (metadata, pass) => {
            if (!isOurs) this.#standardCalls.add(call);
            this.#intakes.set(intake, end);
            intake.open();
            pass(metadata);
          },
          onReceiveMessage: (message, pass) => {
            // Ours stays charged until it is answered.
            if (!isOurs) intake.taken();
            pass(message);
          },
          onReceiveHalfClose: (pass) => {
            intake.isAwaited = false;
            pass();
          },
          onCancel: () => {
            this.#standardCalls.delete(call);
            this.#intakes.delete(intake);
            intake.close();
            outbox.close();
          },
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

/** A call whose answers go through grpc-js: they are charged until they have left. */
class ChargedCall extends ServerInterceptingCall {
  readonly #outbox: Outbox;

  constructor(call: ServerInterceptingCallInterface, outbox: Outbox, responder: Responder) {
    super(call, responder);
    this.#outbox = outbox;
  }

  override sendMessage(message: unknown, callback: () => void): void {
    const bytes = message instanceof Uint8Array ? message.length : STANDARD_ANSWER_BYTES;
    this.#outbox.send(bytes, (left) =>
      super.sendMessage(message, () => {
        left();
        callback();
      }),
    );
  }
}

/** `varve.v1.LogService` of `/varve.v1.LogService/Produce`. */
const serviceOf = (path: string): string => path.split('/')[1]!;
const limitOf = (row: ErrorRow): string =>
  row === Errors.REQUEST_TOO_LARGE ? 'grpc.message.max.bytes' : 'queued.max.request.bytes';

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
