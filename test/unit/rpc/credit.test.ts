import { describe, expect, test } from 'vitest';
import { Credit, CreditWindow } from '../../../src/rpc/credit.ts';

describe('credit', () => {
  test('is spent down to zero or, by one message, below it', () => {
    const credit = new Credit();
    expect(credit.isSpent).toBe(true);
    credit.grant(100);
    expect(credit.isSpent).toBe(false);
    credit.spend(99);
    expect(credit.isSpent).toBe(false);
    credit.spend(50);
    expect(credit.isSpent).toBe(true);
    expect(credit.availableBytes).toBe(-49);
  });

  test('that was overdrawn is paid back by the next grant', () => {
    const credit = new Credit();
    credit.grant(10);
    credit.spend(30);
    credit.grant(20);
    expect(credit.isSpent).toBe(true);
    credit.grant(1);
    expect(credit.availableBytes).toBe(1);
  });
});

describe('a credit window', () => {
  test('grants all of itself at first, and again what was taken when half is used', () => {
    const window = new CreditWindow(100);
    expect(window.takeGrant()).toBe(100);
    expect(window.takeGrant()).toBe(0);
    window.taken(49);
    expect(window.takeGrant()).toBe(0);
    window.taken(1);
    expect(window.takeGrant()).toBe(50);
    expect(window.takeGrant()).toBe(0);
  });

  test('never leaves more than itself with the sender', () => {
    const window = new CreditWindow(100);
    const credit = new Credit();
    let inFlight = 0;
    for (let step = 0; step < 1000; step++) {
      credit.grant(window.takeGrant());
      const message = Math.min((step * 37) % 60, credit.availableBytes);
      credit.spend(message);
      inFlight += message;
      const taken = Math.min(inFlight, (step * 13) % 50);
      inFlight -= taken;
      window.taken(taken);
      expect(credit.availableBytes + inFlight).toBeLessThanOrEqual(100);
    }
  });
});
