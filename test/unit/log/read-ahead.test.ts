import { beforeEach, expect, test } from 'vitest';
import type { BatchRange } from '../../../src/log/batch-slice.ts';
import { ReadAhead } from '../../../src/log/read-ahead.ts';
import type { LentSegmentRead } from '../../../src/log/segment-read.ts';
import { offset } from '../../../src/model/ids.ts';
import { type SimulatedMachine, simulatedEnv } from '../../simulation/env/simulated-env.ts';

let machine: SimulatedMachine;
let ahead: ReadAhead;
let log: { generation: number };
let released: number[];

const range = (from: number, maxBytes = 100, endOffset = 1000): BatchRange => ({
  from: offset(from),
  maxBytes,
  endOffset: offset(endOffset),
});

const brought = (from: number): LentSegmentRead => ({
  ...{ batches: [], bytes: 10, isContinued: true },
  nextOffset: offset(from + 10),
  release: () => released.push(from),
});

function begin(from: number, what: Partial<BatchRange> = {}, of = log): void {
  ahead.begin(of, { ...range(from), ...what }, () => Promise.resolve(brought(from)));
}

/** Where what was read ahead for this range goes on; undefined if nothing was. */
async function take(wanted: BatchRange, of = log): Promise<number | null | undefined> {
  const taken = ahead.take(of, wanted);
  if (taken === undefined) return undefined;
  const read = await machine.scheduler.complete(taken);
  return read === null ? null : read.nextOffset;
}

const pass = async (ms: number): Promise<void> => {
  await machine.scheduler.run(machine.scheduler.nowMs + ms);
};

beforeEach(() => {
  machine = simulatedEnv({ seed: 1 });
  ahead = new ReadAhead(machine.env.clock, machine.env.timers);
  log = { generation: 0 };
  released = [];
});

test('what was begun is there for one who asks for it, once', async () => {
  begin(50);
  expect(await take(range(40))).toBeUndefined();
  expect(await take(range(50), { generation: 0 })).toBeUndefined();
  expect(await take(range(50))).toBe(60);
  expect(await take(range(50))).toBeUndefined();
  expect(released).toEqual([]);
});

test('a reader takes less than it asked for, and never more', async () => {
  begin(50, { maxBytes: 100 });
  expect(await take(range(50, 99))).toBeUndefined();
  expect(await take(range(50, 500))).toBe(60);
});

test('nothing that was read before a truncation is given after it', async () => {
  begin(50);
  await pass(1);
  log.generation = 1;
  expect(await take(range(50))).toBeUndefined();
  await pass(1);
  expect(released).toEqual([50]);
});

test('nothing is read that a truncation came before', async () => {
  let reads = 0;
  ahead.begin(log, range(50), () => {
    reads++;
    return Promise.resolve(brought(50));
  });
  log.generation = 1;
  await pass(1);
  expect(reads).toBe(0);
});

test('nothing is given that may reach beyond what is served by now', async () => {
  begin(50, { endOffset: offset(1000) });
  expect(await take(range(50, 100, 999))).toBeUndefined();
  begin(50, { endOffset: offset(1000) });
  expect(await take(range(50, 100, 1001))).toBe(60);
});

test('of many readers eight have it, until one of theirs has waited for a second', async () => {
  for (let from = 0; from < 10; from++) begin(from);
  await pass(999);
  begin(10);
  expect(await take(range(10))).toBeUndefined();
  expect(released).toEqual([]);
  await pass(1);
  begin(11);
  await pass(1);
  expect(released).toEqual([0]);
  expect(await take(range(11))).toBe(21);
  expect(await take(range(0))).toBeUndefined();
  expect(await take(range(7))).toBe(17);
  expect(await take(range(8))).toBeUndefined();
});

test('of a log that nobody reads any more nothing is kept', async () => {
  const other = { generation: 0 };
  for (const from of [1, 2, 3]) begin(from);
  begin(2, {}, other);
  await pass(1);
  ahead.forget(log);
  await pass(1);
  expect(released.sort()).toEqual([1, 2, 3]);
  expect(await take(range(2))).toBeUndefined();
  expect(await take(range(2), other)).toBe(12);
});

test('a read that failed brings nothing', async () => {
  ahead.begin(log, range(50), () => Promise.resolve(null));
  expect(await take(range(50))).toBeNull();
});
