import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Bystander } from '../support/bystander.ts';
import { BrokerProcess, metric, TemporaryFolder } from '../support/processes.ts';
import {
  callHeaders,
  END_HEADERS,
  END_STREAM,
  Frame,
  frame,
  grpcMessage,
  headerBlock,
  openCall,
  RawConnection,
} from '../support/raw-http2.ts';

/**
 * What is done to HTTP/2 servers, done to a broker in a process of its own: it stays up, its memory
 * stays small, and somebody else who produces and consumes meanwhile gets every record once.
 */
const MIB = 1024 ** 2;
const MAX_GROWTH_BYTES = 128 * MIB;
const PRODUCE = '/varve.v1.LogService/Produce';
const CREATE_TOPICS = '/varve.v1.AdminService/CreateTopics';

const folder = new TemporaryFolder();
const broker = new BrokerProcess(
  `${folder.path}/data`,
  ...['--set', 'max.connections=60'],
  ...['--set', 'grpc.handshake.timeout.ms=3s'],
  ...['--set', 'grpc.message.timeout.ms=3s'],
  ...['--set', 'queued.max.request.bytes=64MiB'],
);
beforeAll(() => broker.start());
afterAll(async () => {
  await broker.kill();
  folder[Symbol.dispose]();
});

const residentBytes = (): Promise<number> => metric(broker, 'process_resident_memory_bytes');
const word = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};

let topics = 0;
/** Runs an abuse beside a bystander, and checks what has to hold for all of them. */
async function beside(abuse: () => Promise<void>): Promise<void> {
  const bystander = await Bystander.start(broker.address, `bystander-${topics++}`);
  await bystander.progress();
  const before = await residentBytes();
  let largest = before;
  let isOver = false;
  const watching = (async () => {
    while (!isOver) {
      largest = Math.max(largest, await residentBytes());
      await sleep(50);
    }
  })();
  try {
    await abuse();
    // Also while what the abuse has left behind is still there.
    await bystander.progress();
  } finally {
    isOver = true;
    await watching;
  }
  const grown = largest - before;
  expect(await bystander.stop()).toEqual([]);
  expect(grown).toBeLessThan(MAX_GROWTH_BYTES);
  expect(broker.log).not.toContain('unexpected error');
}

interface Abuse {
  readonly name: string;
  readonly frames: number;
  /** Sent first. */
  readonly open?: Buffer;
  /** Whether the broker must cut the connection; else it may bear with it. */
  readonly isCut: boolean;
  readonly reads?: boolean;
  make(at: number): Buffer;
}

const stream = (at: number): number => 1 + 2 * at;

const floods: readonly Abuse[] = [
  {
    name: 'streams that are opened and reset at once (rapid reset)',
    frames: 20_000,
    isCut: true,
    make: (at) =>
      Buffer.concat([openCall(stream(at), PRODUCE), frame(Frame.reset, 0, stream(at), word(8))]),
  },
  {
    name: 'streams that the broker is made to reset (window updates of nothing)',
    frames: 20_000,
    isCut: true,
    make: (at) =>
      Buffer.concat([
        openCall(stream(at), PRODUCE),
        frame(Frame.windowUpdate, 0, stream(at), word(0)),
      ]),
  },
  {
    name: 'streams beyond those that are allowed',
    frames: 20_000,
    isCut: true,
    make: (at) => openCall(stream(at), PRODUCE),
  },
  {
    name: 'pings whose answers are not read',
    frames: 200_000,
    isCut: true,
    reads: false,
    make: () => frame(Frame.ping, 0, 0, Buffer.alloc(8)),
  },
  {
    name: 'settings whose answers are not read',
    frames: 200_000,
    isCut: true,
    reads: false,
    make: (at) => frame(Frame.settings, 0, 0, Buffer.concat([Buffer.of(0, 4), word(at % 65_536)])),
  },
  {
    name: 'empty data frames',
    frames: 200_000,
    open: openCall(1, PRODUCE),
    isCut: true,
    make: () => frame(Frame.data, 0, 1),
  },
  {
    name: 'priorities that change all the time',
    frames: 200_000,
    open: openCall(1, PRODUCE),
    isCut: false,
    make: (at) =>
      frame(Frame.priority, 0, stream(at % 1000), Buffer.concat([word(0), Buffer.of(at & 255)])),
  },
  {
    name: 'headers that never end (continuation flood)',
    frames: 20_000,
    open: frame(Frame.headers, 0, 1, callHeaders(PRODUCE)),
    isCut: true,
    make: (at) => frame(Frame.continuation, 0, 1, headerBlock([[`x-${at}`, 'y'.repeat(1000)]])),
  },
  {
    name: 'header tables that are blown up (header bomb)',
    frames: 1000,
    isCut: false,
    make: (at) => {
      // One field of 4000 bytes goes to the table; each byte 0xbe after it stands for all of it.
      const large = Buffer.concat([
        Buffer.of(0x40, 1, 0x78, 0x7f, 0xa1, 0x1e),
        Buffer.alloc(4000, 0x61),
      ]);
      const block = Buffer.concat([callHeaders(PRODUCE), large, Buffer.alloc(10_000, 0xbe)]);
      return frame(Frame.headers, END_HEADERS, stream(at), block);
    },
  },
  {
    name: 'a window that overflows',
    frames: 1000,
    isCut: true,
    make: () => frame(Frame.windowUpdate, 0, 0, word(0x7fff_ffff)),
  },
  {
    name: 'frames of no known type',
    frames: 200_000,
    isCut: false,
    make: (at) => frame(0x20 + (at % 200), 0xff, at % 7, Buffer.alloc(at % 9)),
  },
];

test.each(floods)('$name', async ({ frames, open, isCut, reads, make }) => {
  await beside(async () => {
    using raw = await RawConnection.open(broker.address, { reads: reads ?? true });
    if (open !== undefined) await raw.send(open);
    await raw.flood(frames, make);
    if (isCut) await raw.closed();
  });
});

test('a message in frames of one byte takes little memory', async () => {
  await beside(async () => {
    const CALLS = 10;
    using raw = await RawConnection.open(broker.address);
    const calls = Array.from({ length: CALLS }, (_, call) => stream(call));
    const start = grpcMessage(Buffer.alloc(0), { length: 16 * MIB });
    for (const call of calls) {
      await raw.send(openCall(call, PRODUCE));
      await raw.send(frame(Frame.data, 0, call, start));
    }
    const piece = Buffer.concat(calls.map((call) => frame(Frame.data, 0, call, Buffer.of(7))));
    await raw.flood(200_000, () => piece);
  });
});

test('messages that are announced and hardly sent end with REQUEST_TIMED_OUT', async () => {
  await beside(async () => {
    using raw = await RawConnection.open(broker.address);
    await raw.send(openCall(1, PRODUCE));
    await raw.send(frame(Frame.data, 0, 1, grpcMessage(Buffer.alloc(0), { length: 1000 })));
    // A unary call whose request has come, but whose client never says that it is done.
    await raw.send(openCall(3, CREATE_TOPICS));
    await raw.send(frame(Frame.data, 0, 3, grpcMessage(Buffer.alloc(0))));
    for (let i = 0; i < 80; i++) {
      await raw.send(frame(Frame.data, 0, 1, Buffer.of(i)));
      await sleep(100);
      if (resets(raw.received) === 2) break;
    }
    expect(resets(raw.received)).toBe(2);
  });
  expect(broker.log).toContain('grpc.message.timeout.ms');
});

/** Streams that the broker has ended: by headers with an end, or by a reset. */
function resets(received: Buffer): number {
  const ended = new Set<number>();
  for (let at = 0; at + 9 <= received.length; at += 9 + received.readUIntBE(at, 3)) {
    const type = received[at + 3]!;
    const endsIt =
      type === Frame.reset || (type === Frame.headers && received[at + 4]! & END_STREAM);
    if (endsIt) ended.add(received.readUInt32BE(at + 5));
  }
  return ended.size;
}

test('compressed messages that grow a thousandfold are refused before they fill the memory', async () => {
  const bomb = gzipSync(Buffer.alloc(64 * MIB));
  const inside = gzipSync(Buffer.alloc(15 * MIB));
  await beside(async () => {
    const connections: RawConnection[] = [];
    for (let i = 0; i < 4; i++) {
      const raw = await RawConnection.open(broker.address);
      connections.push(raw);
      for (let call = 0; call < 50; call++) {
        const headers = callHeaders(PRODUCE, ['grpc-encoding', 'gzip']);
        await raw.send(frame(Frame.headers, END_HEADERS, stream(call), headers));
        const message = grpcMessage(call % 2 === 0 ? bomb : inside, { compressed: 1 });
        for (let at = 0; at < message.length; at += 16_384) {
          await raw.send(frame(Frame.data, 0, stream(call), message.subarray(at, at + 16_384)));
        }
      }
    }
    await sleep(500);
    for (const raw of connections) raw[Symbol.dispose]();
  });
});

test('requests nested ten thousand deep, and headers that make no sense, are refused', async () => {
  let nested = Buffer.alloc(0);
  for (let depth = 0; depth < 3000; depth++) {
    nested = Buffer.concat([
      Buffer.of(0x0a, (nested.length & 127) | 128, nested.length >>> 7),
      nested,
    ]);
  }
  const odd: readonly (readonly [string, string])[][] = [
    [['grpc-timeout', 'never']],
    [['grpc-timeout', `${'9'.repeat(8)}H`]],
    [['grpc-encoding', 'x'.repeat(100)]],
    [['grpc-encoding', 'gzip']],
    [['content-length', '-1']],
    [['x-bin', '\u00ff\u00fe']],
    [['__proto__', 'x']],
    [[':path', '/again']],
  ];
  const paths = [
    '',
    '*',
    '/',
    '//',
    '/\u00ff\u0080',
    `/${'x'.repeat(8000)}`,
    '/varve.v1.LogService/__proto__',
    '/constructor',
  ];
  await beside(async () => {
    for (const fields of odd) {
      using raw = await RawConnection.open(broker.address);
      const block = callHeaders(PRODUCE, ...fields);
      await raw.send(frame(Frame.headers, END_HEADERS, 1, block));
      await raw.send(frame(Frame.data, END_STREAM, 1, grpcMessage(nested, { compressed: 1 })));
      await sleep(20);
    }
    for (const path of paths) {
      using raw = await RawConnection.open(broker.address);
      await raw.send(openCall(1, path));
      await raw.send(frame(Frame.data, END_STREAM, 1, grpcMessage(nested)));
      await raw.send(openCall(3, CREATE_TOPICS));
      await raw.send(frame(Frame.data, END_STREAM, 3, grpcMessage(nested)));
      await sleep(20);
    }
  });
});

test('connections that say nothing are few and short', async () => {
  await beside(async () => {
    const silent = await Promise.all(
      Array.from({ length: 300 }, () => RawConnection.openSilent(broker.address)),
    );
    await Promise.all(silent.map((raw) => raw.closed()));
  });
  expect(broker.log).toContain('max.connections');
  expect(broker.log).toContain('grpc.handshake.timeout.ms');
});
