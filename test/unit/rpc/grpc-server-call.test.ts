import * as grpc from '@grpc/grpc-js';
import { afterEach, expect, test } from 'vitest';
import { peerName } from '../../../src/rpc/grpc-server-call.ts';
import { closeOpened, openGrpc } from './grpc-world.ts';

afterEach(closeOpened);

test('outcomes stand in trailers that any gRPC client can read', async () => {
  const { listener } = await openGrpc();
  const client = new grpc.Client(listener.address, grpc.credentials.createInsecure());
  const error = await new Promise<grpc.ServiceError>((resolve) => {
    const same = (value: Buffer): Buffer => value;
    client.makeUnaryRequest('/test.Service/Refuse', same, same, Buffer.alloc(0), (failed) =>
      resolve(failed!),
    );
  });
  client.close();
  expect(error.code).toBe(grpc.status.NOT_FOUND);
  expect(error.details).toMatch(/^no topic “orders”/);
  expect(error.metadata.get('varve-error-code')).toEqual(['3']);
  expect(error.metadata.get('varve-error-name')).toEqual(['UNKNOWN_TOPIC_OR_PARTITION']);
  expect(error.metadata.get('varve-error-retriable')).toEqual(['true']);
});

test('peers have their IPv6 address in brackets', () => {
  expect(peerName('127.0.0.1:1234')).toBe('127.0.0.1:1234');
  expect(peerName('::1:1234')).toBe('[::1]:1234');
});
