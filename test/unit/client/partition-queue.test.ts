import { expect, test } from 'vitest';
import { BatchMemory } from '../../../src/client/batch-memory.ts';
import { VarveError } from '../../../src/client/errors.ts';
import { PartitionQueue, type Refusal } from '../../../src/client/partition-queue.ts';
import { ProducerBatch } from '../../../src/client/producer-batch.ts';
import { producerId } from '../../../src/model/ids.ts';

const settings = { isIdempotent: true, lingerMs: 5, deliveryTimeoutMs: 1000, maxInFlight: 5 };
const calm = { isFlushing: false, leaderIsIdle: false, leaderIsBusy: false };
const identity = { id: producerId(9), epoch: 0 };

function newBatch(createdMs = 0): ProducerBatch {
  const place = { topic: 'orders', partition: 0, createdMs, serial: 0 };
  const memory = new BatchMemory(0);
  return new ProducerBatch(place, 0, { compression: 0, memory, onSettled() {}, onSplit() {} });
}

/** Batches of one record whose outcomes are written down by name. */
function setUp(options: Partial<typeof settings> = {}) {
  const queue = new PartitionQueue('orders', 0, { ...settings, ...options });
  const outcomes: string[] = [];
  const add = (name: string, createdMs = 0): ProducerBatch => {
    const batch = newBatch(createdMs);
    const record = { key: null, value: null, timestampMs: 0 };
    void batch.append(record).then(
      () => outcomes.push(`${name} stored`),
      (error: VarveError) => outcomes.push(`${name} ${error.code}`),
    );
    batch.seal();
    queue.add(batch);
    return batch;
  };
  const send = (nowMs = 0): ProducerBatch[] => {
    const sent: ProducerBatch[] = [];
    for (
      let batch = queue.next(nowMs, calm);
      batch !== undefined;
      batch = queue.next(nowMs, calm)
    ) {
      queue.take(batch);
      sent.push(batch);
    }
    return sent;
  };
  const stored = (batch: ProducerBatch, nowMs = 0) =>
    queue.stored(batch, { baseOffset: 0, logAppendTimeMs: -1 }, nowMs);
  return { queue, add, send, stored, outcomes, told: () => Promise.resolve().then(() => outcomes) };
}

const refusal = (code: string, rest: Partial<Refusal>): Refusal => ({
  error: new VarveError(code, code),
  reaction: 'retry',
  mayBeStored: false,
  retryAtMs: 0,
  ...rest,
});
const lost = refusal('NETWORK_EXCEPTION', { reaction: 'refresh', mayBeStored: true });
const gap = refusal('OUT_OF_ORDER_SEQUENCE_NUMBER', { reaction: 'sequence' });
const bad = refusal('INVALID_RECORD', { reaction: 'fail' });

/** A queue whose broker knows the producer already. */
function established() {
  const world = setUp();
  world.queue.adopt(identity);
  const first = world.add('first');
  world.send();
  world.stored(first);
  return world;
}

test('nothing is sent without an id', () => {
  const { queue, add, send } = setUp();
  const batch = add('a');
  expect(queue.needsIdentity).toBe(true);
  expect(send()).toEqual([]);
  queue.adopt(identity);
  expect(send()).toEqual([batch]);
  expect(batch.baseSequence).toBe(0);
});

test('the first batch goes alone, later ones five at a time', () => {
  const { queue, add, send, stored } = setUp();
  queue.adopt(identity);
  const batches = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((name) => add(name));
  expect(send()).toEqual([batches[0]]);
  stored(batches[0]!);
  expect(send()).toEqual(batches.slice(1, 6));
  expect(batches.slice(1, 6).map(({ baseSequence }) => baseSequence)).toEqual([1, 2, 3, 4, 5]);
});

test('after a long silence a batch goes alone again: the broker may have forgotten', () => {
  const { add, send, stored } = established();
  const [a, b] = [add('a', 100_000), add('b', 100_000)];
  expect(send(100_000)).toEqual([a]);
  stored(a, 100_001);
  expect(send(100_001)).toEqual([b]);
});

test('no batch is sent that would make the broker forget the oldest one without an answer', () => {
  const { add, send, stored } = established();
  const batches = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => add(name));
  send();
  for (const batch of batches.slice(1, 5)) stored(batch);
  expect(send()).toEqual([]);
  stored(batches[0]!);
  expect(send()).toEqual([batches[5]]);
});

test('after a loss all goes again, in order, when nothing is in flight and the pause is over', () => {
  const { queue, add, send } = established();
  const [a, b, c] = [add('a'), add('b'), add('c')];
  send();
  queue.refused(a, { ...lost, retryAtMs: 50 });
  expect(send(60)).toEqual([]);
  queue.refused(b, lost);
  queue.refused(c, lost);
  expect(send(49)).toEqual([]);
  expect(queue.wakeAtMs(49)).toBe(50);
  expect(send(50)).toEqual([a, b, c]);
  expect([a, b, c].map(({ baseSequence }) => baseSequence)).toEqual([1, 2, 3]);
});

test('a batch behind a failed one goes again after it, with the same sequence', async () => {
  const { queue, add, send, stored, told } = established();
  const [a, b] = [add('a'), add('b')];
  send();
  queue.refused(a, refusal('NOT_ENOUGH_REPLICAS', {}));
  queue.refused(b, gap);
  expect(send()).toEqual([a, b]);
  stored(a);
  stored(b);
  expect(await told()).toEqual(['first stored', 'a stored', 'b stored']);
  expect(queue.identity).toEqual(identity);
});

test('a gap before a batch that was never stored begins a new epoch with it', () => {
  const { queue, add, send } = established();
  const [a, b] = [add('a'), add('b')];
  send();
  queue.refused(a, gap);
  expect(send()).toEqual([]);
  queue.refused(b, gap);
  expect(send()).toEqual([a]);
  expect(queue.identity).toEqual({ ...identity, epoch: 1 });
  expect(a.baseSequence).toBe(0);
});

test('a gap before a batch that may be stored is the end of it', async () => {
  const { queue, add, send, told } = established();
  const [a, b] = [add('a'), add('b')];
  send();
  queue.refused(a, lost);
  queue.refused(b, lost);
  send();
  queue.refused(a, gap);
  queue.refused(b, gap);
  expect(await told()).toEqual(['first stored', 'a OUTCOME_UNKNOWN', 'b OUTCOME_UNKNOWN']);
  expect(queue.isEmpty).toBe(true);
});

test('a batch that was overtaken is not stored behind the later one', async () => {
  const { queue, add, send, stored, told } = established();
  const [a, b] = [add('a'), add('b')];
  send();
  stored(b);
  queue.refused(a, refusal('NOT_ENOUGH_REPLICAS', {}));
  expect(send()).toEqual([a]);
  queue.refused(a, gap);
  expect(await told()).toEqual(['first stored', 'b stored', 'a OUT_OF_ORDER_SEQUENCE_NUMBER']);
});

test('what is behind a batch that fails for good is numbered anew', async () => {
  const { queue, add, send, told } = established();
  const [a, b, c] = [add('a'), add('b'), add('c')];
  send();
  queue.refused(a, bad);
  queue.refused(b, gap);
  queue.refused(c, gap);
  expect(await told()).toEqual(['first stored', 'a INVALID_RECORD']);
  expect(send()).toEqual([b]);
  expect([queue.identity?.epoch, b.baseSequence]).toEqual([1, 0]);
});

test('a batch that runs out of time in flight fails as unknown, and a new epoch follows its answers', async () => {
  const { queue, add, send, stored, told } = established();
  const [a, b] = [add('a', 0), add('b', 500)];
  send();
  expect(queue.expire(999)).toBe(1000);
  queue.expire(1000);
  expect(await told()).toEqual(['first stored', 'a OUTCOME_UNKNOWN']);
  const c = add('c', 1000);
  expect(send(1000)).toEqual([]);
  // A late answer changes nothing.
  stored(a, 1001);
  stored(b, 1001);
  expect(await told()).toEqual(['first stored', 'a OUTCOME_UNKNOWN', 'b stored']);
  expect(send(1001)).toEqual([c]);
  expect([queue.identity?.epoch, c.baseSequence]).toEqual([1, 0]);
});

test('halves of a batch go one after the other while the broker knows nothing of the producer', () => {
  const { queue, send } = setUp();
  queue.adopt(identity);
  const whole = newBatch();
  for (const timestampMs of [0, 1]) {
    whole.append({ key: null, value: null, timestampMs }).catch(() => {});
  }
  whole.seal();
  queue.add(whole);
  expect(send()).toEqual([whole]);
  queue.refused(whole, refusal('MESSAGE_TOO_LARGE', { reaction: 'split' }));
  const [first, ...more] = send();
  expect(more).toEqual([]);
  queue.stored(first!, { baseOffset: 0, logAppendTimeMs: -1 }, 0);
  expect(send()).toHaveLength(1);
});

test('what has lingered waits all the same while the leader is busy', () => {
  const { queue } = established();
  const open = newBatch();
  void open.append({ key: null, value: null, timestampMs: 0 });
  queue.add(open);
  expect(queue.next(50, { ...calm, leaderIsBusy: true })).toBeUndefined();
  expect(queue.next(50, calm)).toBe(open);
  open.seal();
  expect(queue.next(50, { ...calm, leaderIsBusy: true })).toBe(open);
});

test('a batch that was never sent is certain not to be stored', async () => {
  const { queue, add, told } = established();
  add('a', 0);
  queue.blame(new VarveError('LEADER_NOT_AVAILABLE', 'no leader'));
  expect(queue.expire(1000)).toBe(Number.POSITIVE_INFINITY);
  expect(await told()).toEqual(['first stored', 'a DELIVERY_TIMEOUT']);
});

test('giving all up says what may be stored', async () => {
  const { queue, add, send, told } = established();
  add('a');
  send();
  add('b');
  queue.failAll(new VarveError('CLOSED', 'closed'));
  expect(await told()).toEqual(['first stored', 'a OUTCOME_UNKNOWN', 'b CLOSED']);
});

test('a batch lingers unless it is full, all must go, or the leader is idle', () => {
  const { queue, send } = established();
  const open = newBatch();
  void open.append({ key: null, value: null, timestampMs: 0 });
  queue.add(open);
  expect(queue.next(4, calm)).toBeUndefined();
  expect(queue.wakeAtMs(4)).toBe(5);
  expect(queue.next(4, { ...calm, isFlushing: true })).toBe(open);
  expect(queue.next(4, { ...calm, leaderIsIdle: true })).toBe(open);
  expect(send(5)).toEqual([open]);
});

test('an id whose epochs are used up is not taken again', () => {
  const { queue, add, send } = setUp();
  queue.adopt({ ...identity, epoch: 32_767 });
  const a = add('a');
  send();
  queue.refused(a, bad);
  expect(queue.needsIdentity).toBe(true);
  expect(queue.adopt(identity)).toBe(false);
  expect(queue.adopt({ id: producerId(10), epoch: 0 })).toBe(true);
});
