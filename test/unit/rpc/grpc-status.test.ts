import { Metadata, type StatusObject } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { Errors } from '../../../src/model/errors.ts';
import { rpcStatusOfRow } from '../../../src/rpc/error-message.ts';
import { fromGrpcStatus, toGrpcStatus } from '../../../src/rpc/grpc-status.ts';
import { RpcCode } from '../../../src/rpc/transport.ts';

const unavailable = (details: string): StatusObject => ({
  code: RpcCode.UNAVAILABLE,
  details,
  metadata: new Metadata(),
});
const failed = (reason: string): string =>
  `No connection established. Last error: ${reason}. Resolution note: `;

test('an outcome of ours comes back as it was sent', () => {
  const status = rpcStatusOfRow(Errors.UNKNOWN_TOPIC_OR_PARTITION, 'there is no topic "x"');
  expect(fromGrpcStatus(toGrpcStatus(status))).toEqual(status);
});

test.each([
  [failed('Error: connect ECONNREFUSED 127.0.0.1:9095'), 'connect ECONNREFUSED 127.0.0.1:9095'],
  [
    failed('Error: unable to get local issuer certificate'),
    'unable to get local issuer certificate',
  ],
  [
    failed('Failed to connect (2026-11-21T12:36:13.279Z)'),
    'the peer closed the connection at once',
  ],
  [failed('Protocol error (2026-11-21T12:36:13.297Z)'), 'the peer does not speak HTTP/2'],
  [
    failed('Error: 40:error:0A00010B:SSL routines:tls_x:wrong version number:../a.c:78:\n'),
    'TLS failed: wrong version number',
  ],
  [
    'Name resolution failed for target dns:nope.invalid:9095',
    'the name of the host cannot be resolved',
  ],
  [
    'Deadline exceeded after 2.001s,name resolution: 0.001s,Waiting for LB pick',
    'no connection within 2.001 s',
  ],
  [
    'Deadline exceeded after 0.5s,name resolution: 0.001s,LB pick: 0.1s,remote_addr=127.0.0.1:9095',
    'no answer within 0.5 s',
  ],
  ['Connection dropped', 'the connection was lost'],
])('%j is told in plain words, and kept as the cause', (details, message) => {
  const { neverSent: _, ...status } = fromGrpcStatus(unavailable(details));
  expect(status).toEqual({ code: RpcCode.UNAVAILABLE, message, cause: new Error(details) });
});

test.each([
  [failed('Error: connect ECONNREFUSED 127.0.0.1:9095'), true],
  ['Name resolution failed for target dns:nope.invalid:9095', true],
  ['Deadline exceeded after 2.001s,name resolution: 0.001s,Waiting for LB pick', true],
  ['Deadline exceeded after 0.5s,LB pick: 0.1s,remote_addr=127.0.0.1:9095', undefined],
  ['Connection dropped', undefined],
  ['the proxy is closed', undefined],
])('%j: that the call never left is said only when it is certain', (details, neverSent) => {
  expect(fromGrpcStatus(unavailable(details)).neverSent).toBe(neverSent);
});

test('what was an error of grpc-js is the cause itself', () => {
  const status = Object.assign(new Error('14 UNAVAILABLE'), unavailable('Connection dropped'));
  expect(fromGrpcStatus(status).cause).toBe(status);
});

test('any other text stays as it is', () => {
  const status = fromGrpcStatus(unavailable('the proxy is closed'));
  expect(status).toEqual({ code: RpcCode.UNAVAILABLE, message: 'the proxy is closed' });
});
