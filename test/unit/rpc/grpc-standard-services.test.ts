import { once } from 'node:events';
import * as grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { protoPath as healthProto, service as healthService } from 'grpc-health-check';
import { afterEach, describe, expect, test } from 'vitest';
import { closeOpened, opened, openGrpc } from './grpc-world.ts';
import { until } from './transport-world.ts';

afterEach(closeOpened);

describe('the standard services', () => {
  const SERVING = 1;
  const NOT_SERVING = 2;
  // biome-ignore lint/suspicious/noExplicitAny: clients made at run time have no types
  type AnyClient = any;

  function clientOf(address: string, file: string, name: string): AnyClient {
    const root = grpc.loadPackageDefinition(loadSync(file)) as AnyClient;
    const Service = name.split('.').reduce((scope, part) => scope[part], root);
    const client = new Service(address, grpc.credentials.createInsecure());
    opened.push({ close: async () => client.close() });
    return client;
  }

  const health = (client: AnyClient, service: string): Promise<unknown> =>
    new Promise((resolve) => {
      client.check({ service }, (error: grpc.ServiceError | null, answer: { status: unknown }) =>
        resolve(error === null ? answer.status : error.code),
      );
    });

  test('tell the health of the server and of each service', async () => {
    const { listener } = await openGrpc();
    const client = clientOf(listener.address, healthProto, 'grpc.health.v1.Health');
    expect(await health(client, '')).toBe(SERVING);
    expect(await health(client, 'test.Service')).toBe(SERVING);
    expect(await health(client, 'test.Nothing')).toBe(grpc.status.NOT_FOUND);
    listener.setServing(false);
    expect(await health(client, '')).toBe(NOT_SERVING);
    expect(await health(client, 'test.Service')).toBe(NOT_SERVING);
    listener.setServing(true);
    expect(await health(client, '')).toBe(SERVING);
  });

  test('know what happened before they were first asked', async () => {
    const { listener } = await openGrpc();
    listener.setServing(false);
    const client = clientOf(listener.address, healthProto, 'grpc.health.v1.Health');
    expect(await health(client, 'test.Service')).toBe(NOT_SERVING);
  });

  test('have all the methods that their libraries know', async () => {
    const { listener } = await openGrpc();
    const client = clientOf(listener.address, healthProto, 'grpc.health.v1.Health');
    expect(Object.keys(healthService)).toEqual(['Check', 'Watch', 'List']);
    const { statuses } = await new Promise<AnyClient>((resolve, reject) => {
      client.list({}, (error: unknown, answer: unknown) =>
        error === null ? resolve(answer) : reject(error),
      );
    });
    expect(statuses).toEqual({ '': { status: SERVING }, 'test.Service': { status: SERVING } });
  });

  test('tell who watches that the server is closing, and do not hold that up', async () => {
    const { listener } = await openGrpc();
    const client = clientOf(listener.address, healthProto, 'grpc.health.v1.Health');
    const watch = client.watch({ service: '' });
    const told: unknown[] = [];
    watch.on('data', (answer: { status: unknown }) => told.push(answer.status));
    watch.on('error', (error: grpc.ServiceError) => told.push(error.code));
    await until(() => told.length === 1);
    // The grace is longer than this test may take.
    await listener.close(3_600_000);
    await until(() => told.length === 3);
    expect(told).toEqual([SERVING, NOT_SERVING, grpc.status.UNAVAILABLE]);
  });

  for (const version of ['v1', 'v1alpha']) {
    test(`tell what the server serves by reflection ${version}`, async () => {
      const { listener } = await openGrpc({
        reflection: ['varve/v1/log.proto', 'varve/v1/admin.proto'],
      });
      const file = new URL(
        `../build/proto/grpc/reflection/${version}/reflection.proto`,
        import.meta.resolve('@grpc/reflection').replace(/build\/.*/, 'build/'),
      );
      const client = clientOf(
        listener.address,
        file.pathname,
        `grpc.reflection.${version}.ServerReflection`,
      );
      const call = client.serverReflectionInfo();
      const answers: AnyClient[] = [];
      call.on('data', (answer: AnyClient) => answers.push(answer));
      call.write({ listServices: '*' });
      call.write({ fileContainingSymbol: 'varve.v1.LogService' });
      await until(() => answers.length === 2);
      call.end();
      await once(call, 'end');
      const names = answers[0].listServicesResponse.service.map((one: AnyClient) => one.name);
      expect(names).toEqual(
        expect.arrayContaining([
          'varve.v1.LogService',
          'varve.v1.AdminService',
          'grpc.health.v1.Health',
        ]),
      );
      expect(answers[1].fileDescriptorResponse.fileDescriptorProto.length).toBeGreaterThan(0);
    });
  }
});
