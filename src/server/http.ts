import type { IncomingMessage, Server, ServerOptions, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { RecoveryState } from '../log/recovery-progress.ts';
import { formatAddress, parseAddress } from '../rpc/address.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';

// An import would ask the module for all that it exports, `WebSocket` among it, and Node would load its
// whole web client for that: 40 ms of every start.
const { createServer } = process.getBuiltinModule('node:http');

/** Whether the node should get traffic, and what keeps it from being ready. */
export interface Readiness {
  readonly ready: boolean;
  readonly reasons: readonly string[];
  /** How far the recovery of the logs is, while it goes on. */
  readonly recovery?: RecoveryState;
}

export interface HttpSources {
  readonly metrics: Metrics;
  readonly readiness: () => Readiness;
  readonly logger: Logger;
}

export interface HttpEndpoint {
  /** `host:port` with the port that was picked. */
  readonly address: string;
  /** Stops listening and ends all connections at once: a scrape cut short is scraped again. */
  close(): Promise<void>;
}

/**
 * Serves metrics and health, read only:
 * - `/metrics`: Prometheus' text format.
 * - `/healthz`: 200 as long as the event loop turns.
 * - `/readyz`: 200 when ready, 503 with the reasons when not, and how far the recovery of the logs is.
 *
 * `address` is `host:port`, an IPv6 host in brackets; port 0 picks a free one. Fails with the
 * system's error when it cannot listen there.
 */
export async function serveHttp(address: string, sources: HttpSources): Promise<HttpEndpoint> {
  const { host, port } = parseAddress(address);
  const server = createServer(limits, (request, response) => {
    void handle(request, response, sources);
  });
  server.maxConnections = MAX_CONNECTIONS;
  server.setTimeout(IDLE_MS);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const bound = (server.address() as AddressInfo).port;
  return { address: formatAddress({ host, port: bound }), close: () => closeServer(server) };
}

/** Nobody needs more to scrape a node, and a connection is a file descriptor that segments need. */
const MAX_CONNECTIONS = 64;
/** A connection on which nothing moves for so long is cut. */
const IDLE_MS = 30_000;

const limits: ServerOptions = {
  maxHeaderSize: 8 * 1024,
  headersTimeout: 5_000,
  requestTimeout: 10_000,
  connectionsCheckingInterval: 1_000,
};

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  sources: HttpSources,
): Promise<void> {
  let answer: Answer;
  try {
    answer = await route(request, sources);
  } catch (err) {
    sources.logger.error({ err, path: request.url }, 'an HTTP request failed');
    answer = json(500, { error: 'the request failed, the log says why' });
  }
  const { status, type, body } = answer;
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    ...(status === 405 ? { allow: 'GET, HEAD' } : {}),
  });
  response.end(body);
}

async function route(request: IncomingMessage, sources: HttpSources): Promise<Answer> {
  const path = request.url?.split('?', 1)[0] ?? '';
  const page = pages.get(path);
  if (page === undefined) {
    return json(404, { error: `there is no such page, there are ${[...pages.keys()].join(', ')}` });
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return json(405, { error: 'this page can only be read, use GET' });
  }
  return page(sources);
}

type Page = (sources: HttpSources) => Answer | Promise<Answer>;

const pages: ReadonlyMap<string, Page> = new Map<string, Page>([
  ['/metrics', exposeMetrics],
  ['/healthz', () => json(200, { healthy: true })],
  ['/readyz', reportReadiness],
]);

async function exposeMetrics({ metrics }: HttpSources): Promise<Answer> {
  return { status: 200, type: metrics.contentType, body: await metrics.expose() };
}

function reportReadiness({ readiness }: HttpSources): Answer {
  const state = readiness();
  return json(state.ready ? 200 : 503, state);
}

const json = (status: number, body: unknown): Answer => ({
  status,
  type: 'application/json; charset=utf-8',
  body: `${JSON.stringify(body)}\n`,
});

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
