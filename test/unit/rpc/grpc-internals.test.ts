import * as http2 from 'node:http2';
import type { ServerInterceptingCallInterface } from '@grpc/grpc-js';
import { Server } from '@grpc/grpc-js';
import { afterEach, expect, test } from 'vitest';
import {
  replaceDecoder,
  resetCall,
  sendMessage,
  setUpSessions,
} from '../../../src/rpc/grpc-internals.ts';
import { closeOpened, openGrpc } from './grpc-world.ts';
import { STREAM, until } from './transport-world.ts';

afterEach(closeOpened);

test('what grpc-js has inside is still there', async () => {
  expect(setUpSessions(new Server(), 1000, () => {})).toBe(true);
  const { streams, unexpected, listener } = await openGrpc();
  const session = http2.connect(`http://${listener.address}`);
  session.request({ ':method': 'POST', ':path': STREAM, 'content-type': 'application/grpc' });
  await until(() => streams.length > 0);
  session.destroy();
  expect(unexpected).toEqual([]);
});

test('what is not there is not touched', () => {
  expect(setUpSessions({} as Server, 1000, () => {})).toBe(false);
  const call = {} as ServerInterceptingCallInterface;
  expect(replaceDecoder(call, { write: () => [] })).toBe(false);
  expect(resetCall(call)).toBe(false);
  expect(sendMessage(call, [], () => {})).toBe(false);
  expect(call).toEqual({});
});
