import { expect, test } from 'vitest';
import { nodeId } from '../../../src/model/ids.ts';
import { exchangeMethod, PROTOCOL_VERSION } from '../../../src/quorum/peer-frames.ts';
import { PeerStream } from '../../../src/quorum/peer-stream.ts';
import {
  type Channel,
  type MessageStream,
  RpcCode,
  type StreamEvents,
} from '../../../src/rpc/transport.ts';
import { Scheduler } from '../../simulation/env/scheduler.ts';
import { SimulatedMachine } from '../../simulation/env/simulated-env.ts';
import { SimulatedRandom } from '../../simulation/env/simulated-random.ts';

// What it does for a link is in peer-link.test.ts.

const hello = {
  ...{ protocolVersion: PROTOCOL_VERSION, clusterId: 'c', address: '' },
  from: { id: nodeId(1), directoryId: 'one' },
  to: { id: nodeId(2), directoryId: 'two' },
};

function openStream() {
  const scheduler = new Scheduler(new SimulatedRandom(1));
  const { env } = new SimulatedMachine({ seed: 1, name: 'here', scheduler });
  let events: StreamEvents | undefined;
  let isClosed = false;
  const sent: number[] = [];
  const stream: MessageStream = {
    send: (message) => sent.push(message.length) > 0,
    sendPieces: () => true,
    ...{ pause() {}, resume() {}, end() {}, fail() {} },
  };
  const channel: Channel = {
    unary: () => Promise.reject(new Error('there is none')),
    stream: (_path, own) => {
      events = own;
      return stream;
    },
    close: async () => {
      isClosed = true;
    },
  };
  const told: string[] = [];
  const peerStream = new PeerStream(channel, hello, {
    ...{ timers: env.timers, lookMs: 100 },
    events: {
      accepted: () => told.push('accepted'),
      proved: () => told.push('proved'),
      refused: ({ detail }) => told.push(`refused ${detail}`),
      drained: () => told.push('drained'),
      ended: ({ message }) => told.push(`ended: ${message}`),
    },
  });
  const answer = (refusal = 0, detail = ''): void => {
    const receivedBytes = sent.reduce((sum, bytes) => sum + bytes, 0);
    events!.onMessage(exchangeMethod.response.encode({ refusal, detail, receivedBytes }));
  };
  const closed = (): boolean => isClosed;
  return { scheduler, peerStream, sent, told, answer, closed, events: events! };
}

test('a peer that does not answer the hello is given up', async () => {
  const { scheduler, told, closed } = openStream();
  await scheduler.run(10_000);
  expect(told).toEqual(['ended: the peer has not answered for too long']);
  expect(closed()).toBe(true);
});

test('a quiet stream costs one ping a look, and stays', async () => {
  const { scheduler, told, answer, sent } = openStream();
  answer();
  for (let look = 0; look < 20; look++) {
    const before = sent.length;
    await scheduler.run(() => sent.length > before);
    answer();
  }
  expect(scheduler.nowMs).toBeGreaterThan(2_000);
  expect(sent).toHaveLength(21);
  expect(told).toEqual(['accepted', ...Array.from({ length: 20 }, () => 'proved')]);
});

test('after the end it tells nothing more, whatever comes', async () => {
  const { scheduler, told, answer, events, peerStream, sent } = openStream();
  answer();
  events.onClose({ code: RpcCode.UNAVAILABLE, message: 'gone' });
  answer();
  answer(2, 'late');
  events.onEnd();
  events.onClose({ code: RpcCode.OK, message: '' });
  peerStream.send(Uint8Array.of(1));
  await scheduler.run(10_000);
  expect(told).toEqual(['accepted', 'ended: gone']);
  expect(sent).toHaveLength(1);
});

test('a refusal ends it without an end', () => {
  const { told, answer, events, closed } = openStream();
  answer(3, 'not me');
  events.onEnd();
  expect(told).toEqual(['refused not me']);
  expect(closed()).toBe(true);
});
