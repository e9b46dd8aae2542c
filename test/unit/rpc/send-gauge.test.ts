import { expect, test } from 'vitest';
import { SEND_HIGH_BYTES, SEND_LOW_BYTES, SendGauge } from '../../../src/rpc/send-gauge.ts';

test('asks to wait above the high mark and goes on below the low one, once', () => {
  const gauge = new SendGauge();
  const message = 64 * 1024;
  let waiting = 0;
  while (gauge.queued(message)) waiting++;
  waiting++;
  expect(waiting * message).toBeGreaterThan(SEND_HIGH_BYTES - 2 * message);
  expect(waiting * message).toBeLessThan(SEND_HIGH_BYTES + message);
  expect(gauge.queued(message)).toBe(false);
  waiting++;
  while (!gauge.sent(message)) waiting--;
  waiting--;
  expect(waiting * message).toBeLessThanOrEqual(SEND_LOW_BYTES);
  expect(waiting * message).toBeGreaterThan(SEND_LOW_BYTES - 2 * message);
  expect(gauge.sent(message)).toBe(false);
  expect(gauge.queued(message)).toBe(true);
});

test('lets one message of any size through', () => {
  const gauge = new SendGauge();
  expect(gauge.queued(100 * SEND_HIGH_BYTES)).toBe(false);
  expect(gauge.sent(100 * SEND_HIGH_BYTES)).toBe(true);
});

test('counts empty messages too', () => {
  const gauge = new SendGauge();
  let count = 0;
  while (gauge.queued(0)) count++;
  expect(count).toBeLessThan(20_000);
});
