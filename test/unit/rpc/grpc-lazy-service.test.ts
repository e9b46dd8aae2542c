import {
  Client,
  credentials,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import { expect, onTestFinished, test } from 'vitest';
import { addLazyServices } from '../../../src/rpc/grpc-lazy-service.ts';

const PATH = '/library.Service/Double';
const text = (value: unknown): Buffer => Buffer.from(String(value));
const number = (bytes: Buffer): number => Number(bytes.toString());

/** What a library of the kind of grpc-health-check does. */
function addTo(server: Server): void {
  server.addService(
    {
      double: {
        path: PATH,
        originalName: 'Double',
        requestStream: false,
        responseStream: false,
        requestSerialize: text,
        requestDeserialize: number,
        responseSerialize: text,
        responseDeserialize: number,
      },
    },
    {
      double: (call: ServerUnaryCall<number, number>, respond: sendUnaryData<number>) =>
        respond(null, call.request * 2),
    },
  );
}

async function serve(load: (server: Server) => void): Promise<(value: number) => Promise<number>> {
  const server = new Server();
  addLazyServices(server, [{ path: PATH, requestStream: false, responseStream: false }], load);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  onTestFinished(() => {
    client.close();
    server.forceShutdown();
  });
  return (value) =>
    new Promise((resolve, reject) => {
      client.makeUnaryRequest(PATH, text, number, value, (error, answer) =>
        error === null ? resolve(answer!) : reject(error),
      );
    });
}

test('a library is loaded by the first call, and once', async () => {
  let loads = 0;
  const double = await serve((server) => {
    loads++;
    addTo(server);
  });
  expect(loads).toBe(0);
  expect(await double(1)).toBe(2);
  expect(await double(2)).toBe(4);
  expect(loads).toBe(1);
});

test('a library that cannot be loaded fails the call only, and is tried again', async () => {
  let loads = 0;
  const double = await serve((server) => {
    if (++loads === 1) throw new Error('no file');
    addTo(server);
  });
  await expect(double(1)).rejects.toMatchObject({ code: status.INTERNAL });
  expect(await double(1)).toBe(2);
});

test('a method that the library lacks fails its calls', async () => {
  const double = await serve(() => {});
  await expect(double(1)).rejects.toMatchObject({ code: status.INTERNAL });
});
