import { expect, test } from 'vitest';
import type { ErrorRow } from '../../../src/model/errors.ts';
import { MessageIntake } from '../../../src/rpc/message-intake.ts';

/** An intake with what it holds and how it refused. */
function intake(limits: { maxMessageBytes?: number; budgetBytes?: number } = {}) {
  const { maxMessageBytes = 100_000, budgetBytes = Number.POSITIVE_INFINITY } = limits;
  const world = { held: 0, refusals: [] as string[] };
  const memory = {
    tryHold: (bytes: number) => {
      if (world.held + bytes > budgetBytes) return false;
      world.held += bytes;
      return true;
    },
    hold: () => true,
    give: (bytes: number) => {
      world.held -= bytes;
    },
  };
  const refuse = (row: ErrorRow): void => void world.refusals.push(row.name);
  return { world, it: new MessageIntake({ maxMessageBytes, memory }, refuse) };
}

const frame = (content: Uint8Array, compressed = 0): Buffer => {
  const header = Buffer.alloc(5, compressed);
  header.writeUInt32BE(content.length, 1);
  return Buffer.concat([header, content]);
};
const noise = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 7) >>> 1);

test('messages come whole, however they are cut', () => {
  const messages = [noise(0), noise(3), noise(5000), noise(0), noise(40_000), noise(1)].map(
    (content) => frame(content),
  );
  const wire = Buffer.concat(messages);
  for (const size of [1, 2, 7, 1000, 1024, 1025, 16_384, wire.length]) {
    const { it, world } = intake();
    const got: Buffer[] = [];
    for (let at = 0; at < wire.length; at += size)
      got.push(...it.write(wire.subarray(at, at + size)));
    expect(got.map((each) => each.equals(messages[got.indexOf(each)]!))).toEqual(
      Array(6).fill(true),
    );
    expect(world.held).toBeGreaterThan(wire.length - 6 * 5);
    for (const _ of got) it.taken();
    expect(world.held).toBe(0);
  }
});

test('large and small pieces in turns stay in order', () => {
  const message = frame(noise(50_000));
  const { it } = intake();
  const got: Buffer[] = [];
  for (let at = 0, i = 0; at < message.length; i++) {
    const size = i % 2 === 0 ? 1024 : 3;
    got.push(...it.write(message.subarray(at, at + size)));
    at += size;
  }
  expect(got).toEqual([message]);
});

test('a message that is too large is refused before its bytes come, and nothing is taken in after', () => {
  const { it, world } = intake({ maxMessageBytes: 10 });
  const wire = Buffer.concat([frame(noise(3)), frame(noise(11)), frame(noise(1))]);
  expect(it.write(wire)).toEqual([]);
  expect(it.write(frame(noise(1)))).toEqual([]);
  expect(world).toEqual({ held: 0, refusals: ['REQUEST_TOO_LARGE'] });
});

test('what does not fit into the memory of all calls is refused, and all of it given back', () => {
  const { it, world } = intake({ budgetBytes: 10_500 });
  expect(it.write(frame(noise(5000)))).toHaveLength(1);
  expect(it.write(frame(noise(5000)).subarray(0, 4000))).toEqual([]);
  expect(world.refusals).toEqual([]);
  it.write(noise(1000) as Buffer);
  expect(world).toEqual({ held: 0, refusals: ['BROKER_OVERLOADED'] });
});

test('empty messages count, and a compressed one counts as much as may come out of it', () => {
  const many = intake({ budgetBytes: 100_000 });
  expect(many.it.write(Buffer.alloc(5 * 1000))).toEqual([]);
  expect(many.world.refusals).toEqual(['BROKER_OVERLOADED']);
  const bomb = intake({ budgetBytes: 150_000 });
  expect(bomb.it.write(frame(noise(10), 1))).toHaveLength(1);
  expect(bomb.world.held).toBeGreaterThan(100_000);
  bomb.it.write(frame(noise(10), 1));
  expect(bomb.world.refusals).toEqual(['BROKER_OVERLOADED']);
});

test('a message is overdue by how often the clock has ticked while it was arriving', () => {
  const { it } = intake();
  expect(it.tick()).toBe(0);
  it.write(frame(noise(100)).subarray(0, 50));
  expect([it.tick(), it.tick()]).toEqual([1, 2]);
  it.isPaused = true;
  expect(it.tick()).toBe(0);
  it.isPaused = false;
  expect(it.tick()).toBe(1);
  it.write(frame(noise(100)).subarray(50));
  expect(it.tick()).toBe(0);
});

test('the request of a unary call is due from the beginning until its client is done', () => {
  const { it } = intake();
  it.isAwaited = true;
  expect(it.tick()).toBe(1);
  it.write(frame(noise(1)));
  expect(it.tick()).toBe(2);
  it.isAwaited = false;
  expect(it.tick()).toBe(0);
});

test('the call itself counts, and a request that is kept as much as it may come to when it is decoded', () => {
  const { it, world } = intake();
  it.open();
  const opened = world.held;
  expect(opened).toBeGreaterThanOrEqual(16 * 1024);
  it.isKept = true;
  it.write(frame(noise(100)));
  expect(world.held - opened).toBeGreaterThan(100 * 100);
  it.close();
  expect(world.held).toBe(0);
  const poor = intake({ budgetBytes: 10_000 });
  poor.it.open();
  expect(poor.world).toEqual({ held: 0, refusals: ['BROKER_OVERLOADED'] });
});
