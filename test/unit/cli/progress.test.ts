import { expect, test } from 'vitest';
import { Output } from '../../../src/cli/output.ts';
import {
  formatBar,
  formatBytes,
  formatCount,
  formatRate,
  Progress,
} from '../../../src/cli/progress.ts';
import { Captured } from './run-varve.ts';

/** Time that passes when it is told to. */
class HandTime {
  nowMs = 1000;
  #due: { readonly atMs: number; readonly fn: () => void }[] = [];
  readonly clock = { monotonicMs: () => this.nowMs, wallMs: () => this.nowMs };
  readonly timers = {
    after: (ms: number, fn: () => void) => {
      const entry = { atMs: this.nowMs + ms, fn };
      this.#due.push(entry);
      return {
        cancel: () => {
          this.#due = this.#due.filter((other) => other !== entry);
        },
        unref: () => {},
      };
    },
    nextTurn: (fn: () => void) => setImmediate(fn),
  };

  pass(ms: number): void {
    this.nowMs += ms;
    const due = this.#due.filter(({ atMs }) => atMs <= this.nowMs);
    this.#due = this.#due.filter(({ atMs }) => atMs > this.nowMs);
    for (const { fn } of due) fn();
  }
}

function terminal(columns: number): Captured {
  const stream = new Captured();
  stream.isTTY = true;
  stream.columns = columns;
  return stream;
}

test('on a terminal one line is drawn again and again, and stays at the end', () => {
  const stream = terminal(80);
  const time = new HandTime();
  const progress = new Progress(time, new Output(stream), (elapsedMs) => `${elapsedMs} ms`);
  time.pass(200);
  time.pass(200);
  time.nowMs += 50;
  progress.stop();
  time.pass(1000);
  const erase = '\u001b[K';
  expect(stream.text).toBe(`\r0 ms${erase}\r200 ms${erase}\r400 ms${erase}\r450 ms${erase}\n`);
});

test('a line never wraps', () => {
  const stream = terminal(5);
  new Progress(new HandTime(), new Output(stream), () => '1234567').stop();
  expect(stream.text).toBe('\r1234\u001b[K\r1234\u001b[K\n');
});

test('elsewhere nothing is written', () => {
  const stream = new Captured();
  const time = new HandTime();
  const progress = new Progress(time, new Output(stream), () => 'text');
  time.pass(1000);
  progress.stop();
  expect(stream.text).toBe('');
});

test('figures are made for people', () => {
  expect(formatCount(1_234_567.8)).toBe('1,234,567');
  expect([0, 1023, 1024, 1536, 5 * 1024 ** 3].map(formatBytes)).toEqual([
    '0 bytes',
    '1023 bytes',
    '1.0 KiB',
    '1.5 KiB',
    '5.0 GiB',
  ]);
  expect(formatRate(5, 0)).toBe('-');
  expect(formatRate(2000, 500)).toBe('4,000/s');
  expect(formatBar(0, 10)).toBe(`[${'-'.repeat(30)}]   0 %`);
  expect(formatBar(5, 10)).toBe(`[${'#'.repeat(15)}${'-'.repeat(15)}]  50 %`);
  expect(formatBar(20, 10)).toBe(`[${'#'.repeat(30)}] 100 %`);
  expect(formatBar(0, 0)).toBe(`[${'#'.repeat(30)}] 100 %`);
});
