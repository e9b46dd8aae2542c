import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { NodeTimers } from '../../../src/env/node-timers.ts';

const timers = new NodeTimers({ keepProcess: false });
const DAY_MS = 86_400_000;

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

test('a timer fires once, not before its time', () => {
  const fired = vi.fn();
  timers.after(10.4, fired);
  vi.advanceTimersByTime(10);
  expect(fired).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1000);
  expect(fired).toHaveBeenCalledTimes(1);
});

test('a timer that the event loop fires a fraction too early waits for the rest', () => {
  const now = vi.spyOn(performance, 'now');
  now.mockReturnValue(0.9);
  const fired = vi.fn();
  timers.after(5, fired);
  now.mockReturnValue(5.2);
  vi.advanceTimersByTime(5);
  expect(fired).not.toHaveBeenCalled();
  now.mockReturnValue(6.2);
  vi.advanceTimersByTime(1);
  expect(fired).toHaveBeenCalledTimes(1);
});

test('a delay longer than Node can wait is waited for in steps', () => {
  const fired = vi.fn();
  timers.after(60 * DAY_MS, fired);
  vi.advanceTimersByTime(60 * DAY_MS - 1);
  expect(fired).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(fired).toHaveBeenCalledTimes(1);
});

test('a cancelled timer never fires, also in a later step of a long delay', () => {
  const fired = vi.fn();
  timers.after(10, fired).cancel();
  const long = timers.after(60 * DAY_MS, fired);
  vi.advanceTimersByTime(40 * DAY_MS);
  long.cancel();
  vi.advanceTimersByTime(90 * DAY_MS);
  expect(fired).not.toHaveBeenCalled();
  expect(vi.getTimerCount()).toBe(0);
});

test('next turns come in the order in which they were asked for, after promise reactions', async () => {
  vi.useRealTimers();
  const order: string[] = [];
  const done = new Promise<void>((resolve) => {
    timers.nextTurn(() => order.push('first'));
    timers.nextTurn(() => {
      order.push('second');
      resolve();
    });
  });
  void Promise.resolve().then(() => order.push('reaction'));
  order.push('now');
  await done;
  expect(order).toEqual(['now', 'reaction', 'first', 'second']);
});

/** What a process prints that ends by itself after this. */
async function runToEnd(code: string): Promise<string> {
  const source = `
    import { NodeTimers } from '${new URL('../../../src/env/node-timers.ts', import.meta.url)}';
    ${code}
  `;
  const args = ['--input-type=module', '--eval', source];
  return (await promisify(execFile)(process.execPath, args)).stdout;
}

test('a timer of a broker does not keep the process alive', async () => {
  vi.useRealTimers();
  await runToEnd('new NodeTimers({ keepProcess: false }).after(3_600_000, () => {});');
});

test('a timer of a client keeps the process alive until it fires, unless it is let go', async () => {
  vi.useRealTimers();
  const fired = await runToEnd(`
    const timers = new NodeTimers({ keepProcess: true });
    timers.after(3_600_000, () => {}).unref();
    timers.after(20, () => console.log('fired'));
  `);
  expect(fired).toBe('fired\n');
});
