import { request } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { type HttpEndpoint, type Readiness, serveHttp } from '../../../src/server/http.ts';
import { silentLogger } from '../../../src/telemetry/logger.ts';
import type { Metrics } from '../../../src/telemetry/metrics.ts';
import { noMetrics } from '../../../src/telemetry/no-metrics.ts';
import { PrometheusMetrics } from '../../../src/telemetry/prometheus-metrics.ts';

let endpoint: HttpEndpoint | undefined;
afterEach(() => endpoint?.close());

const start = async (options: { metrics?: Metrics; readiness?: () => Readiness } = {}) => {
  endpoint = await serveHttp('127.0.0.1:0', {
    metrics: options.metrics ?? noMetrics,
    readiness: options.readiness ?? (() => ({ ready: true, reasons: [] })),
    logger: silentLogger,
  });
  return `http://${endpoint.address}`;
};

test('port 0 picks a free port and the address says which', async () => {
  await start();
  expect(endpoint?.address).toMatch(/^127\.0\.0\.1:[1-9]\d*$/);
});

test('/metrics exposes the metrics in text format', async () => {
  const metrics = new PrometheusMetrics({ processMetrics: false });
  metrics.counter('varve_test_things_total', 'Things.').labels().add(3);
  const response = await fetch(`${await start({ metrics })}/metrics`);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toContain('text/plain; version=0.0.4');
  expect(await response.text()).toContain('varve_test_things_total 3\n');
});

test('/healthz answers while the process runs, ready or not', async () => {
  const readiness = () => ({ ready: false, reasons: ['recovering'] });
  const response = await fetch(`${await start({ readiness })}/healthz`);
  expect(response.status).toBe(200);
  expect(await response.json()).toEqual({ healthy: true });
});

test('/readyz follows readiness and gives the reasons', async () => {
  let state: Readiness = { ready: false, reasons: ['3 logs are being recovered'] };
  const url = await start({ readiness: () => state });
  const before = await fetch(`${url}/readyz`);
  expect(before.status).toBe(503);
  expect(await before.json()).toEqual(state);
  state = { ready: true, reasons: [] };
  const after = await fetch(`${url}/readyz?verbose`);
  expect(after.status).toBe(200);
  expect(await after.json()).toEqual(state);
});

test('other paths are not found and other methods not allowed', async () => {
  const url = await start();
  const missing = await fetch(`${url}/admin`);
  expect(missing.status).toBe(404);
  expect(await missing.json()).toEqual({
    error: 'there is no such page, there are /metrics, /healthz, /readyz',
  });
  const posted = await fetch(`${url}/metrics`, { method: 'POST', body: 'x' });
  expect(posted.status).toBe(405);
  expect(posted.headers.get('allow')).toBe('GET, HEAD');
});

test('HEAD gets the status without a body', async () => {
  const response = await fetch(`${await start()}/healthz`, { method: 'HEAD' });
  expect(response.status).toBe(200);
  expect(await response.text()).toBe('');
});

test('a page that fails answers 500 and the next one is served', async () => {
  const metrics = { ...noMetrics, expose: () => Promise.reject(new Error('secret detail')) };
  const url = await start({ metrics });
  const response = await fetch(`${url}/metrics`);
  expect(response.status).toBe(500);
  expect(await response.text()).not.toContain('secret');
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
});

test('oversized headers are refused', async () => {
  const url = await start();
  const status = await new Promise<number | undefined>((resolve, reject) => {
    request(`${url}/healthz`, { headers: { 'x-long': 'x'.repeat(9000) } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on('error', reject)
      .end();
  });
  expect(status).toBe(431);
});

test('close cuts what is being answered and frees the port', async () => {
  const { promise: exposing, resolve: onExpose } = Promise.withResolvers<void>();
  const expose = () => {
    onExpose();
    return new Promise<string>(() => {});
  };
  const url = await start({ metrics: { ...noMetrics, expose } });
  const scrape = fetch(`${url}/metrics`).catch((error: Error) => error);
  await exposing;
  await endpoint?.close();
  expect(await scrape).toBeInstanceOf(Error);
  await expect(fetch(`${url}/healthz`)).rejects.toThrow();
});

test('a port in use fails with the error of the system', async () => {
  await start();
  const address = endpoint!.address;
  await expect(
    serveHttp(address, {
      metrics: noMetrics,
      readiness: () => ({ ready: true, reasons: [] }),
      logger: silentLogger,
    }),
  ).rejects.toThrow('EADDRINUSE');
});

test.each(['', 'localhost', ':80', '127.0.0.1:', '127.0.0.1:65536', '::1:80', 'a:1:2'])(
  '%j is no address to listen on',
  async (address) => {
    await expect(
      serveHttp(address, {
        metrics: noMetrics,
        readiness: () => ({ ready: true, reasons: [] }),
        logger: silentLogger,
      }),
    ).rejects.toThrow('is not HOST:PORT');
  },
);
