import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { Interrupted } from '../../../src/cli/exit-code.ts';
import { watchInterrupts } from '../../../src/cli/interrupts.ts';

function watch() {
  const source = new EventEmitter();
  const ended: number[] = [];
  const time = { nowMs: 0 };
  const clock = { monotonicMs: () => time.nowMs, wallMs: () => time.nowMs };
  const signal = watchInterrupts(source, clock, (code) => ended.push(code));
  const send = (name: string, atMs: number) => {
    time.nowMs = atMs;
    source.emit(name, name);
  };
  return { signal, ended, send };
}

test.each(['SIGINT', 'SIGTERM'] as const)('the first %s asks for an end in order', (name) => {
  const { signal, ended, send } = watch();
  expect(signal.aborted).toBe(false);
  send(name, 0);
  expect(signal.reason).toEqual(new Interrupted(name));
  expect(ended).toEqual([]);
});

test('a second SIGINT does not wait', () => {
  const { ended, send } = watch();
  send('SIGTERM', 0);
  send('SIGINT', 1000);
  expect(ended).toEqual([130]);
});

test('a SIGINT that comes twice at once, as under npm, is one', () => {
  const { ended, send } = watch();
  send('SIGINT', 0);
  send('SIGINT', 20);
  expect(ended).toEqual([]);
});

test('supervisors may repeat SIGTERM', () => {
  const { ended, send } = watch();
  send('SIGTERM', 0);
  send('SIGTERM', 5000);
  expect(ended).toEqual([]);
});
