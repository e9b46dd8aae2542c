import { describe, expect, test } from 'vitest';
import { Saturation } from '../../../../bench/load/saturation.ts';

/** A system whose answers come some turns later, and that remembers how many were open at most. */
function fakeSystem() {
  const state = { sent: 0, open: 0, mostOpen: 0 };
  const send = async () => {
    state.sent++;
    state.mostOpen = Math.max(state.mostOpen, ++state.open);
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
    state.open--;
  };
  return { state, send };
}

describe('a saturating load', () => {
  test('sends exactly what it was told to and returns when all is acknowledged', async () => {
    const { state, send } = fakeSystem();
    const run = await new Saturation(send, 100).runThrough(12_345);
    expect(run.records).toBe(12_345);
    expect(state).toMatchObject({ sent: 12_345, open: 0 });
  });

  test('fills the room it is given and never exceeds it', async () => {
    const { state, send } = fakeSystem();
    await new Saturation(send, 700).runThrough(10_000);
    expect(state.mostOpen).toBe(700);
  });

  test('keeps going with room for a single send', async () => {
    const { state, send } = fakeSystem();
    await new Saturation(send, 1).runThrough(50);
    expect(state).toEqual({ sent: 50, open: 0, mostOpen: 1 });
  });

  test('a timed run counts no warm-up and leaves nothing open', async () => {
    const { state, send } = fakeSystem();
    const run = await new Saturation(send, 100).runFor(0.05, 0.05);
    expect(run.records).toBeGreaterThan(0);
    expect(run.records).toBeLessThan(state.sent);
    expect(state.open).toBe(0);
  });

  test('the first send that fails ends it with that error', async () => {
    let sent = 0;
    const send = async () => {
      if (++sent === 3) throw new Error('the disk is full');
    };
    await expect(new Saturation(send, 2).runThrough(1_000)).rejects.toThrow('the disk is full');
  });
});
