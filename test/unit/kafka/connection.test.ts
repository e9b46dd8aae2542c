import { expect, test } from 'vitest';
import { apiNamed, framed, requestFrame, requestHeader } from '../../support/kafka-requests.ts';
import { BrokerWorld } from '../broker/broker-world.ts';
import { ConnectionWorld } from './connection-world.ts';

const KIB = 1024;

test('answers leave in the order of their requests, whichever is ready first', async () => {
  const world = await ConnectionWorld.open();
  await world.send(world.frame('Overlap', 1), world.frame('Overlap', 2), world.frame('Overlap', 3));
  expect(world.begunIds()).toEqual([1, 2, 3]);
  await world.end(3);
  await world.end(2);
  expect(world.wire.answered).toEqual([]);
  await world.end(1);
  expect(world.wire.answered).toEqual([1, 2, 3]);
  expect(world.memory.usedBytes).toBe(0);
});

test('requests that overlap begin at once, all others alone and after what came before', async () => {
  const world = await ConnectionWorld.open();
  const names = ['Overlap', 'Overlap', 'Alone', 'Overlap', 'Overlap', 'Alone', 'Alone'] as const;
  await world.send(...names.map((name, at) => world.frame(name, at)));
  expect(world.begunIds()).toEqual([0, 1]);
  await world.end(1);
  expect(world.begunIds()).toEqual([0, 1]);
  await world.end(0);
  expect(world.begunIds()).toEqual([0, 1, 2]);
  await world.end(2);
  expect(world.begunIds()).toEqual([0, 1, 2, 3, 4]);
  await world.end(3);
  expect(world.begunIds()).toEqual([0, 1, 2, 3, 4]);
  await world.end(4);
  await world.end(5);
  expect(world.begunIds()).toEqual([0, 1, 2, 3, 4, 5, 6]);
});

test('an answer repeats the correlation id and is framed in the form of its version', async () => {
  const world = await ConnectionWorld.open();
  await world.send(world.frame('Alone', 0x01020304, 'a', 0));
  await world.end(0x01020304);
  await world.send(world.frame('Alone', 5, 'a', 1));
  await world.end(5);
  expect(world.wire.frames.map((frame) => frame.toString('hex'))).toEqual([
    '0000000b01020304010203040001' + '61',
    // An empty tagged section after the header, a compact string, and one after the message.
    '0000000c' + '00000005' + '00' + '00000005' + '0261' + '00',
  ]);
});

test('frames are put together from pieces cut anywhere', async () => {
  const world = await ConnectionWorld.open();
  const bytes = Buffer.concat([world.frame('Overlap', 1, 'abc'), world.frame('Overlap', 2)]);
  for (const byte of bytes) await world.send(Buffer.of(byte));
  expect(world.begun.map(({ id, text }) => [id, text])).toEqual([
    [1, 'abc'],
    [2, ''],
  ]);
  expect(world.wire.isPaused).toBe(false);
});

test('a request that needs no answer gets none, and those behind it get theirs', async () => {
  const world = await ConnectionWorld.open();
  await world.send(world.frame('Overlap', 1), world.frame('Overlap', 2));
  await world.end(2);
  await world.end(1, 'nothing');
  expect(world.wire.answered).toEqual([2]);
  expect(world.wire.end).toBe('open');
  expect(world.memory.usedBytes).toBe(0);
});

test('a request that ends the connection does so in its turn', async () => {
  const world = await ConnectionWorld.open();
  await world.send(...[1, 2, 3].map((id) => world.frame('Overlap', id)));
  await world.end(3);
  await world.end(2, 'close');
  expect(world.wire.end).toBe('open');
  await world.end(1);
  expect([world.wire.end, world.wire.answered, world.closed]).toEqual(['cut', [1], 1]);
  expect(world.refused).toEqual(['acks=0 and not stored']);
  expect(world.memory.usedBytes).toBe(0);
});

test.each([
  ['a malformed frame', Buffer.of(255, 255, 255, 255), /^malformed request: /],
  ['a version that is not served', framed(Buffer.of(3, 231, 0, 0, 0, 0, 0, 1)), /^version not/],
  ['text that is none', framed(Buffer.from('03e9000000000001ffff000000010001ff', 'hex')), /UTF-8/],
])('behind %s nothing is read, and what came before it is answered', async (_, bytes, why) => {
  const world = await ConnectionWorld.open();
  world.wire.isSlow = true;
  await world.send(world.frame('Alone', 1), world.frame('Alone', 2), bytes);
  await world.send(world.frame('Alone', 3));
  await world.end(1);
  await world.end(2);
  // Its answer is not with the system yet.
  world.wire.take();
  expect([world.wire.end, world.wire.isPaused, world.refused]).toEqual(['open', true, []]);
  world.wire.take();
  expect([world.wire.end, world.wire.answered]).toEqual(['cut', [1, 2]]);
  expect([world.refused, world.begunIds()]).toEqual([[expect.stringMatching(why)], [1, 2]]);
  expect(world.memory.usedBytes).toBe(0);
});

test('nothing is read while too many requests are unanswered', async () => {
  const world = await ConnectionWorld.open({ 'kafka.connection.max.requests': '2' });
  await world.send(...[1, 2, 3, 4].map((id) => world.frame('Overlap', id)));
  expect(world.begunIds()).toEqual([1, 2]);
  expect(world.wire.isPaused).toBe(true);
  await world.end(1);
  expect(world.begunIds()).toEqual([1, 2, 3]);
  await world.end(2);
  await world.end(3);
  await world.end(4);
  expect(world.wire.answered).toEqual([1, 2, 3, 4]);
  expect(world.wire.isPaused).toBe(false);
});

test('nothing is read while the socket is full', async () => {
  const world = await ConnectionWorld.open();
  world.wire.isFull = true;
  world.wire.isSlow = true;
  await world.send(world.frame('Overlap', 1));
  await world.end(1);
  await world.send(world.frame('Overlap', 2));
  expect([world.begunIds(), world.wire.isPaused]).toEqual([[1], true]);
  expect(world.memory.usedBytes).toBe(world.wire.frames[0]!.length);
  world.wire.isFull = false;
  world.wire.takeAll();
  world.connection.drained();
  await world.turn();
  expect([world.begunIds(), world.wire.isPaused]).toEqual([[1, 2], false]);
});

test.each(['1', '64'])(
  'answers that need no waiting leave a turn to others, with %s requests at a time',
  async (limit) => {
    const world = await ConnectionWorld.open({ 'kafka.connection.max.requests': limit });
    const frames = [1, 2, 3].map((id) => requestFrame(apiNamed('ApiVersions'), 0, id, {}));
    world.connection.data(new Uint8Array(Buffer.concat(frames)));
    await world.world.pass(0);
    expect(world.wire.answered).toEqual([1]);
    await world.world.pass(10);
    expect(world.wire.answered).toEqual([1, 2, 3]);
  },
);

test('requests that come at the same time and fill the memory do not wait for each other', async () => {
  const world = await BrokerWorld.open({ 'queued.max.request.bytes': '1MiB' });
  const each = Array.from({ length: 5 }, () => new ConnectionWorld(world));
  const [begin, more] = [4 + 64 * KIB, 600 * KIB];
  const frames = each
    .map((one, id) => one.frame('Alone', id, '', 0))
    .map((request) => {
      const frame = Buffer.alloc(4 + more);
      request.copy(frame);
      frame.writeInt32BE(more);
      return frame;
    });
  for (const [at, one] of each.entries()) await one.send(frames[at]!.subarray(0, begin));
  expect(world.broker.memory.usedBytes).toBe(5 * 256 * KIB);
  for (const [at, one] of each.entries()) await one.send(frames[at]!.subarray(begin));
  await each[4]!.end(4);
  await world.pass(1);
  for (const at of [0, 1]) await each[at]!.end(at);
  expect(each.map((one) => one.wire.answered)).toEqual([[0], [1], [], [], [4]]);
  const refused = each.flatMap((one) => one.refused);
  expect(refused).toEqual(['queued.max.request.bytes', 'queued.max.request.bytes']);
  for (const one of each) one.connection.closed();
  expect(world.broker.memory.usedBytes).toBe(0);
});

test('nothing is read while the memory is full, and reading goes on when there is room', async () => {
  const world = await ConnectionWorld.open({ 'queued.max.request.bytes': '1MiB' });
  const others = 1280 * KIB;
  world.memory.hold(others);
  await world.send(world.frame('Overlap', 1));
  expect([world.begunIds(), world.wire.isPaused]).toEqual([[], true]);
  world.memory.give(others);
  await world.world.pass(1);
  expect([world.begunIds(), world.wire.isPaused]).toEqual([[1], false]);
  await world.end(1);
  expect(world.memory.usedBytes).toBe(0);
});

test('a request that waited for memory in vain is given up, however often it was looked at', async () => {
  const world = await ConnectionWorld.open({
    'queued.max.request.bytes': '1MiB',
    'kafka.request.timeout.ms': '1000',
  });
  world.memory.hold(1280 * KIB);
  await world.send(world.frame('Overlap', 1));
  for (let each = 0; each < 12; each++) {
    await world.world.pass(100);
    // Somebody else is quicker each time.
    world.memory.give(1280 * KIB);
    world.memory.hold(1280 * KIB);
  }
  expect(world.refused).toEqual(['kafka.request.timeout.ms']);
  expect(world.memory.usedBytes).toBe(1280 * KIB);
});

test('a request that would need more than all the memory is refused at once', async () => {
  const world = await ConnectionWorld.open({ 'queued.max.request.bytes': '1MiB' });
  const { Overlap } = world.scripted;
  // Decoded, a topic takes some 100 bytes; here it is three.
  const topics = Buffer.alloc(2 * 30_000);
  const body = Buffer.concat([Buffer.of(0, 0, 0x75, 0x30), topics]);
  const metadata = { key: 3, flexible: Overlap.flexible };
  await world.send(framed(requestHeader(metadata, 0, 1), body));
  await world.world.pass(10);
  expect(world.refused).toEqual(['queued.max.request.bytes']);
  expect(world.memory.usedBytes).toBe(0);
});

test('answers that nobody reads end their connection when they have filled the memory', async () => {
  const world = await ConnectionWorld.open({ 'queued.max.request.bytes': '1MiB' });
  world.wire.isFull = true;
  world.wire.isSlow = true;
  await world.send(world.frame('Overlap', 1));
  world.memory.hold(1536 * KIB);
  await world.end(1);
  expect(world.refused).toEqual(['queued.max.request.bytes']);
  expect(world.memory.usedBytes).toBe(1536 * KIB);
});

test.each([
  ['a frame that is too large', Buffer.of(0, 0, 8, 1), /2049 bytes .* socket.request.max.bytes/],
  ['a frame of negative size', Buffer.of(255, 255, 255, 255), /-1 bytes is announced/],
  ['a frame of nothing', Buffer.of(0, 0, 0, 0), /^malformed request: /],
  ['a header that is cut short', framed(Buffer.of(0, 3, 0, 0, 0)), /^malformed request: /],
  [
    'an API that is not served',
    framed(Buffer.of(3, 231, 0, 0, 0, 0, 0, 1)),
    /version 0 of API 999/,
  ],
])('%s closes the connection', async (_, bytes, why) => {
  const world = await ConnectionWorld.open({ 'socket.request.max.bytes': '2048' });
  await world.send(bytes);
  expect(world.refused).toEqual([expect.stringMatching(why)]);
  expect([world.wire.end, world.closed, world.unexpected]).toEqual(['cut', 1, []]);
  expect(world.memory.usedBytes).toBe(0);
  // What comes after it is not looked at.
  await world.send(world.frame('Overlap', 1));
  expect(world.begunIds()).toEqual([]);
});

test('a version that is not served closes the connection, also one that is only advertised', async () => {
  for (const [name, version] of [
    ['Overlap', 2],
    ['Overlap', -1],
  ] as const) {
    const world = await ConnectionWorld.open();
    const { key } = world.scripted[name];
    const header = Buffer.alloc(8);
    header.writeInt16BE(key);
    header.writeInt16BE(version, 2);
    await world.send(framed(header));
    expect(world.refused).toEqual([expect.stringContaining(`version ${version} of API ${key}`)]);
  }
  const world = await ConnectionWorld.open();
  await world.send(framed(Buffer.of(0, 0, 0, 2, 0, 0, 0, 1)));
  expect(world.refused).toEqual([expect.stringContaining('version 2 of API 0')]);
});

test.each([
  ['text that is not UTF-8', '00000001' + '0001ff'],
  ['null where nothing may be null', '00000001' + 'ffff'],
  ['a negative length', '00000001' + 'fffe'],
  ['a length beyond the bytes', '00000001' + '0100'],
])('%s is a malformed request, and nothing unexpected', async (_, body) => {
  const world = await ConnectionWorld.open();
  const header = requestHeader(world.scripted.Alone, 0, 1);
  await world.send(framed(header, Buffer.from(body, 'hex')));
  expect(world.refused).toEqual([expect.stringMatching(/^malformed request: /)]);
  expect([world.unexpected, world.wire.end]).toEqual([[], 'cut']);
  expect(world.memory.usedBytes).toBe(0);
});

test('an error that nobody expected is reported and ends its connection', async () => {
  const world = await ConnectionWorld.open();
  await world.send(world.frame('Alone', 1), world.frame('Alone', 2));
  await world.end(1, new Error('what is this'));
  expect([world.unexpected, world.wire.end]).toEqual([['Alone'], 'cut']);
  expect([world.refused, world.begunIds()]).toEqual([[], [1]]);
  expect(world.memory.usedBytes).toBe(0);
});

test('an answer that cannot be written is reported and ends its connection', async () => {
  const world = await ConnectionWorld.open();
  world.breakAnswers();
  await world.send(world.frame('Alone', 1));
  await world.end(1);
  expect([world.unexpected, world.wire.end]).toEqual([['Alone'], 'cut']);
  expect(world.memory.usedBytes).toBe(0);
});

test('a connection without requests is closed after a while', async () => {
  const world = await ConnectionWorld.open({ 'kafka.connections.max.idle.ms': '1000' });
  await world.world.pass(900);
  await world.send(world.frame('Alone', 1));
  await world.world.pass(5000);
  expect(world.wire.end).toBe('open');
  await world.end(1);
  await world.world.pass(900);
  expect(world.wire.end).toBe('open');
  await world.world.pass(400);
  expect([world.refused, world.wire.end]).toEqual([['kafka.connections.max.idle.ms'], 'cut']);
});

test('a request has a limited time to arrive', async () => {
  const world = await ConnectionWorld.open({ 'kafka.request.timeout.ms': '1000' });
  const frame = world.frame('Alone', 1);
  for (let at = 0; at < 10; at++) {
    await world.send(frame.subarray(at, at + 1));
    await world.world.pass(140);
  }
  expect([world.refused, world.wire.end]).toEqual([['kafka.request.timeout.ms'], 'cut']);
  expect(world.memory.usedBytes).toBe(0);
});

test('the time that an answer took is not the time of the request behind it', async () => {
  const world = await ConnectionWorld.open({ 'kafka.request.timeout.ms': '1000' });
  const next = world.frame('Alone', 2);
  await world.send(world.frame('Alone', 1), next.subarray(0, 6));
  await world.world.pass(3000);
  await world.end(1);
  await world.world.pass(500);
  await world.send(next.subarray(6));
  expect([world.refused, world.begunIds()]).toEqual([[], [1, 2]]);
});

test('an answer that its client does not take ends the connection, one that is taken in time does not', async () => {
  const world = await ConnectionWorld.open({ 'kafka.stalled.reader.ms': '1000' });
  world.wire.isSlow = true;
  await world.send(world.frame('Overlap', 1), world.frame('Overlap', 2));
  await world.end(1);
  await world.end(2);
  await world.world.pass(700);
  world.wire.take();
  await world.world.pass(700);
  expect(world.wire.end).toBe('open');
  await world.world.pass(700);
  expect([world.refused, world.wire.end]).toEqual([['kafka.stalled.reader.ms'], 'cut']);
  expect(world.memory.usedBytes).toBe(0);
});

test('stopping reads no more and lets all answers out', async () => {
  const world = await ConnectionWorld.open();
  await world.send(world.frame('Alone', 1), world.frame('Alone', 2));
  world.connection.stop();
  expect([world.wire.isPaused, world.wire.end]).toEqual([true, 'open']);
  await world.send(world.frame('Alone', 3));
  await world.end(1);
  expect(world.wire.end).toBe('open');
  await world.end(2);
  expect([world.wire.end, world.wire.answered]).toEqual(['graceful', [1, 2]]);
  expect([world.begunIds(), world.closed, world.refused]).toEqual([[1, 2], 1, []]);
  expect(world.memory.usedBytes).toBe(0);
});

test('stopping ends a connection at once that has nothing to answer', async () => {
  const world = await ConnectionWorld.open();
  await world.send(world.frame('Alone', 1).subarray(0, 9));
  expect(world.memory.usedBytes).toBeGreaterThan(0);
  world.connection.stop();
  world.connection.stop();
  await world.turn();
  expect([world.wire.end, world.closed, world.memory.usedBytes]).toEqual(['graceful', 1, 0]);
});

/** Brings a connection into a state in which it holds memory. */
const states: readonly [string, (world: ConnectionWorld) => Promise<void>][] = [
  ['with nothing', async () => {}],
  ['in a frame', (world) => world.send(world.frame('Alone', 1).subarray(0, 10))],
  [
    'with requests that run and wait',
    (world) => world.send(world.frame('Alone', 1), world.frame('Alone', 2)),
  ],
  [
    'with a request that waits for memory',
    async (world) => {
      await world.send(world.frame('Overlap', 1));
      world.memory.hold(1500 * KIB);
      await world.send(world.frame('Overlap', 2));
      expect(world.begunIds()).toEqual([1]);
      world.memory.give(1500 * KIB);
    },
  ],
  [
    'with answers that wait for one before them',
    async (world) => {
      await world.send(world.frame('Overlap', 1), world.frame('Overlap', 2));
      await world.end(2);
    },
  ],
  [
    'with answers that are not taken',
    async (world) => {
      world.wire.isSlow = true;
      await world.send(world.frame('Overlap', 1));
      await world.end(1);
      expect(world.memory.usedBytes).toBeGreaterThan(0);
    },
  ],
];

test.each(states)(
  '%s, a connection that is closed gives all of its memory back',
  async (_, reach) => {
    const world = await ConnectionWorld.open({ 'queued.max.request.bytes': '1MiB' });
    await reach(world);
    world.connection.closed();
    world.connection.closed();
    await world.turn();
    expect([world.memory.usedBytes, world.closed, world.wire.end]).toEqual([0, 1, 'cut']);
    // Whatever still happens, happens to nobody.
    for (const { end } of world.begun) end();
    world.connection.drained();
    world.connection.stop();
    await world.send(world.frame('Overlap', 9));
    await world.world.pass(1_000_000);
    expect([world.memory.usedBytes, world.closed, world.refused]).toEqual([0, 1, []]);
    expect(world.unexpected).toEqual([]);
  },
);

test('a request learns that its answer is with the system, or that nobody waits for it', async () => {
  const world = await ConnectionWorld.open();
  const told: string[] = [];
  const listen = (id: number) => {
    const { context } = world.begun.find((each) => each.id === id)!;
    context.whenSent(() => told.push(`${id} sent`));
    context.whenClosed(() => told.push(`${id} closed`));
  };
  world.wire.isSlow = true;
  await world.send(world.frame('Overlap', 1), world.frame('Overlap', 2));
  listen(1);
  listen(2);
  await world.end(1);
  expect(told).toEqual([]);
  world.wire.take();
  expect(told).toEqual(['1 sent']);
  world.connection.closed();
  expect(told).toEqual(['1 sent', '2 closed', '2 sent']);
  listen(2);
  expect(told.slice(3)).toEqual(['2 sent', '2 closed']);
});

test('a request is served with what its connection knows', async () => {
  const world = await ConnectionWorld.open();
  await world.send(requestFrame(world.scripted.Alone, 1, 1, { id: 1, text: '' }));
  const { context } = world.begun[0]!;
  expect([context.clientId, context.version]).toEqual(['me', 1]);
  expect(context.broker).toBe(world.world.broker);
});
