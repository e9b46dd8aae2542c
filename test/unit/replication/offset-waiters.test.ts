import { expect, test } from 'vitest';
import { type ErrorRow, Errors } from '../../../src/model/errors.ts';
import { offset } from '../../../src/model/ids.ts';
import { type OffsetWaiter, OffsetWaiters } from '../../../src/replication/offset-waiters.ts';

function waiting(...at: number[]) {
  const waiters = new OffsetWaiters();
  const settled: string[] = [];
  const add = (offsetOf: number, deadlineMs = Number.POSITIVE_INFINITY): OffsetWaiter => {
    const waiter = {
      offset: offset(offsetOf),
      deadlineMs,
      settle: (row: ErrorRow | null) => settled.push(`${offsetOf} ${row?.name ?? 'ok'}`),
    };
    waiters.add(waiter);
    return waiter;
  };
  for (const each of at) add(each);
  return { waiters, settled, add };
}

test('a waiter is settled when the mark reaches its offset, and not before', () => {
  const { waiters, settled } = waiting(5, 9);
  waiters.release(offset(4));
  expect(settled).toEqual([]);
  waiters.release(offset(5));
  expect(settled).toEqual(['5 ok']);
  waiters.release(offset(20));
  expect(settled).toEqual(['5 ok', '9 ok']);
});

test('waiters are settled in order of offset, whatever the order they came in', () => {
  const { waiters, settled } = waiting(9, 5, 7);
  waiters.release(offset(9));
  expect(settled).toEqual(['5 ok', '7 ok', '9 ok']);
});

test('a waiter that is added while another is settled waits for the next move', () => {
  const { waiters, settled, add } = waiting();
  waiters.add({
    offset: offset(1),
    deadlineMs: Number.POSITIVE_INFINITY,
    settle: () => add(1),
  });
  waiters.release(offset(1));
  expect(settled).toEqual([]);
  waiters.release(offset(1));
  expect(settled).toEqual(['1 ok']);
});

test('a removed waiter is never settled', () => {
  const { waiters, settled, add } = waiting(1);
  const waiter = add(2);
  waiters.remove(waiter);
  waiters.release(offset(9));
  expect(settled).toEqual(['1 ok']);
});

test('deadlines settle with the error given and leave the others waiting', () => {
  const { waiters, settled, add } = waiting();
  add(1, 100);
  add(2, 200);
  waiters.expire(150, Errors.REQUEST_TIMED_OUT);
  expect(settled).toEqual(['1 REQUEST_TIMED_OUT']);
  waiters.failAll(Errors.KAFKA_STORAGE_ERROR);
  expect(settled).toEqual(['1 REQUEST_TIMED_OUT', '2 KAFKA_STORAGE_ERROR']);
  expect(waiters.size).toBe(0);
});
