import { expect, test } from 'vitest';
import { leaderEpoch, nodeId } from '../../../src/model/ids.ts';
import {
  type ExchangeResponse,
  exchangeMethod,
  type Hello,
  type PeerFrame,
  PROTOCOL_VERSION,
  Refusal,
} from '../../../src/quorum/peer-frames.ts';
import { PeerIntake } from '../../../src/quorum/peer-intake.ts';
import type { RaftMessage } from '../../../src/raft/messages.ts';
import {
  type MessageStream,
  type OnRefused,
  RpcCode,
  type RpcStatus,
  type StreamEvents,
} from '../../../src/rpc/transport.ts';
import { Scheduler } from '../../simulation/env/scheduler.ts';
import { SimulatedMachine } from '../../simulation/env/simulated-env.ts';
import { SimulatedRandom } from '../../simulation/env/simulated-random.ts';
import { type LogLine, recordingLogger } from '../../support/recording-logger.ts';

const self = { id: nodeId(1), directoryId: 'one' };
const other = { id: nodeId(2), directoryId: 'two' };
const epoch = leaderEpoch(7);
const heartbeat: RaftMessage = { kind: 'heartbeat', epoch, commitIndex: 0, round: 0 };
const goodHello: Hello = {
  ...{ protocolVersion: PROTOCOL_VERSION, clusterId: 'c', from: other, to: self, address: 'o:1' },
};

/** A stream as a server has it. */
class ServerStream implements MessageStream {
  readonly answers: ExchangeResponse[] = [];
  status: RpcStatus | undefined;
  events: StreamEvents | undefined;

  send(message: Uint8Array): boolean {
    this.answers.push(exchangeMethod.response.decode(message));
    return true;
  }

  sendPieces(): boolean {
    return false;
  }

  pause(): void {}
  resume(): void {}

  end(): void {
    this.#close({ code: RpcCode.OK, message: '' });
  }

  fail(status: RpcStatus): void {
    this.#close(status);
  }

  frame(frame: PeerFrame): void {
    this.bytes(exchangeMethod.request.encode(frame));
  }

  bytes(encoded: Uint8Array): void {
    this.events!.onMessage(encoded);
  }

  #close(status: RpcStatus): void {
    if (this.status !== undefined) return;
    this.status = status;
    this.events!.onClose(status);
  }
}

function openIntake() {
  const random = new SimulatedRandom(1);
  const scheduler = new Scheduler(random);
  const { env } = new SimulatedMachine({ seed: 1, name: 'here', scheduler });
  const lines: LogLine[] = [];
  const got: string[] = [];
  const hellos: Hello[] = [];
  const strangers: string[] = [];
  const onRefused: OnRefused = (...each) => strangers.push(each.join(', '));
  const intake = new PeerIntake(
    {
      ...{ self, clusterId: 'c' },
      helloed: (hello) => hellos.push(hello),
      received: (from, message) => got.push(`${from.id} ${message.kind}`),
    },
    { timers: env.timers, logger: recordingLogger(lines), onRefused },
  );
  const open = (): ServerStream => {
    const stream = new ServerStream();
    stream.events = intake.opened(stream, 'somewhere:1');
    return stream;
  };
  const greet = (hello: Partial<Hello> = {}): ServerStream => {
    const stream = open();
    stream.frame({ kind: 'hello', hello: { ...goodHello, ...hello } });
    return stream;
  };
  return { env, scheduler, lines, got, hellos, strangers, onRefused, intake, open, greet };
}

test('messages count after a hello that fits', () => {
  const { greet, got, hellos, lines } = openIntake();
  const stream = greet();
  stream.frame({ kind: 'raft', message: heartbeat });
  expect(got).toEqual(['2 heartbeat']);
  expect(hellos).toEqual([goodHello]);
  expect(stream.answers).toMatchObject([{ refusal: Refusal.NONE }]);
  expect(lines).toEqual([]);
});

const refused: readonly [string, Partial<Hello>, number, string][] = [
  ['of another cluster', { clusterId: 'd' }, Refusal.OTHER_CLUSTER, 'is of cluster c, not d'],
  [
    'for another node',
    { to: { id: nodeId(3), directoryId: 'one' } },
    Refusal.NOT_ME,
    'not node 3 with data directory one',
  ],
  [
    'for a directory that is gone',
    { to: { id: nodeId(1), directoryId: 'old' } },
    Refusal.NOT_ME,
    'not node 1 with data directory old',
  ],
  [
    'of a node with the same id',
    { from: { id: nodeId(1), directoryId: 'two' } },
    Refusal.ID_IN_USE,
    'has the same id as the node with data directory two',
  ],
  [
    'of a later version',
    { protocolVersion: PROTOCOL_VERSION + 1 },
    Refusal.UNSUPPORTED_VERSION,
    'speaks version 1 of the peer protocol, not 2',
  ],
];
for (const [what, hello, refusal, detail] of refused) {
  test(`a hello ${what} is refused with the reason, which is logged once`, () => {
    const { greet, got, hellos, lines } = openIntake();
    for (let i = 0; i < 3; i++) {
      const stream = greet(hello);
      expect(stream.answers).toEqual([
        { refusal, detail: expect.stringContaining(detail), receivedBytes: 0 },
      ]);
      expect(stream.status?.code).toBe(RpcCode.OK);
      stream.frame({ kind: 'raft', message: heartbeat });
    }
    expect(got).toEqual([]);
    expect(hellos).toEqual([]);
    expect(lines.map(({ level }) => level)).toEqual(['warn']);
    expect(lines[0]!.fields['reason']).toContain(detail);
  });
}

test('a node that knows no cluster yet sends everybody away, without a word in the log', () => {
  const { lines, env, onRefused } = openIntake();
  const none = new PeerIntake(
    { self, clusterId: undefined, helloed: () => {}, received: () => {} },
    { timers: env.timers, logger: recordingLogger(lines), onRefused },
  );
  const stream = new ServerStream();
  stream.events = none.opened(stream, 'somewhere:1');
  stream.frame({ kind: 'hello', hello: goodHello });
  expect(stream.answers).toMatchObject([{ refusal: Refusal.NOT_READY }]);
  expect(lines).toEqual([]);
});

test('pings are answered at once, bulk when there is enough of it', () => {
  const { greet } = openIntake();
  const stream = greet();
  stream.frame({ kind: 'ping' });
  expect(stream.answers).toHaveLength(2);
  const bytes = new Uint8Array(200 * 1024);
  const message: RaftMessage = {
    ...{ kind: 'append', epoch, commitIndex: 0, prev: { index: 0, epoch } },
    entries: [{ kind: 'command', index: 1, epoch, bytes }],
  };
  for (let i = 0; i < 3; i++) stream.frame({ kind: 'raft', message });
  expect(stream.answers).toHaveLength(3);
  expect(stream.answers.at(-1)!.receivedBytes).toBeGreaterThan(600 * 1024);
});

test('a newer stream of a member takes the place of the older', () => {
  const { greet, got, lines } = openIntake();
  const first = greet();
  const another = greet({ from: { id: nodeId(3), directoryId: 'three' } });
  const second = greet();
  expect(first.status).toMatchObject({ code: RpcCode.CANCELLED });
  expect(another.status).toBeUndefined();
  first.frame({ kind: 'raft', message: heartbeat });
  expect(got).toEqual([]);
  second.frame({ kind: 'raft', message: heartbeat });
  expect(got).toEqual(['2 heartbeat']);
  expect(lines).toEqual([]);
});

test('the number of streams is bounded', () => {
  const { greet } = openIntake();
  const from = (n: number) => ({ from: { id: nodeId(2), directoryId: `d${n}` } });
  for (let n = 0; n < 1_024; n++) expect(greet(from(n)).status).toBeUndefined();
  expect(greet(from(5000)).answers).toMatchObject([{ refusal: Refusal.NOT_READY }]);
  // One that is there already may come anew, and one that ends makes room.
  const again = greet(from(7));
  expect(again.status).toBeUndefined();
  again.fail({ code: RpcCode.CANCELLED, message: '' });
  expect(greet(from(5000)).status).toBeUndefined();
});

const wrongOrders: readonly [string, (world: ReturnType<typeof openIntake>) => ServerStream][] = [
  [
    'a message before the hello',
    ({ open }) => {
      const stream = open();
      stream.frame({ kind: 'raft', message: heartbeat });
      return stream;
    },
  ],
  [
    'a ping before the hello',
    ({ open }) => {
      const stream = open();
      stream.frame({ kind: 'ping' });
      return stream;
    },
  ],
  [
    'a second hello',
    ({ greet }) => {
      const stream = greet();
      stream.frame({ kind: 'hello', hello: { ...goodHello, from: { ...other, id: nodeId(9) } } });
      return stream;
    },
  ],
  [
    'a frame with a wrong checksum',
    ({ greet }) => {
      const stream = greet();
      const frame = exchangeMethod.request.encode({ kind: 'raft', message: heartbeat });
      frame[frame.length - 1]! ^= 1;
      stream.bytes(frame);
      return stream;
    },
  ],
  [
    'a truncated frame',
    ({ greet }) => {
      const stream = greet();
      const frame = exchangeMethod.request.encode({ kind: 'raft', message: heartbeat });
      stream.bytes(frame.subarray(0, frame.length - 1));
      return stream;
    },
  ],
];
for (const [what, send] of wrongOrders) {
  test(`${what} ends the stream, and is told of with the address`, () => {
    const world = openIntake();
    const stream = send(world);
    expect(stream.status).toMatchObject({ code: RpcCode.INVALID_ARGUMENT });
    stream.frame({ kind: 'raft', message: heartbeat });
    expect(world.got).toEqual([]);
    const known = world.lines.map(({ fields }) => `${fields['address']}, ${fields['reason']}`);
    expect([...known, ...world.strangers]).toEqual([
      expect.stringMatching(/somewhere:1, malformed request/),
    ]);
    expect(known).toHaveLength(world.hellos.length);
  });
}

test('a stream that never says hello is ended', async () => {
  const { open, scheduler, lines, strangers } = openIntake();
  const stream = open();
  await scheduler.run(10_000);
  expect(stream.status).toMatchObject({ code: RpcCode.INVALID_ARGUMENT });
  expect(strangers).toEqual([expect.stringContaining('no hello has come')]);
  expect(lines).toEqual([]);
});

test('closing ends the streams', () => {
  const { greet, intake, lines } = openIntake();
  const stream = greet();
  intake.close();
  expect(stream.status).toMatchObject({ code: RpcCode.UNAVAILABLE });
  expect(lines).toEqual([]);
});
