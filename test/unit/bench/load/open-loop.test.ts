import { describe, expect, test } from 'vitest';
import { OpenLoop } from '../../../../bench/load/open-loop.ts';

describe('an open loop', () => {
  test('sends every number once, in order, and none before it is due', async () => {
    const loop = new OpenLoop(1_000, 0.1);
    const sent: number[] = [];
    const ages: number[] = [];
    await loop.run((index) => {
      sent.push(index);
      ages.push(loop.age(index));
    });
    expect(sent).toEqual(Array.from({ length: 100 }, (_, i) => i));
    expect(Math.min(...ages)).toBeGreaterThanOrEqual(0);
  });

  test('after a stall all that became due is sent, and its age tells of the stall', async () => {
    const loop = new OpenLoop(1_000, 0.1);
    const ages: number[] = [];
    await loop.run((index) => {
      ages.push(loop.age(index));
      // Holds the event loop: what a slow sender would do to the records behind it.
      while (index === 10 && loop.age(index) < 50);
    });
    expect(ages).toHaveLength(100);
    expect(ages[11]).toBeGreaterThan(48);
    expect(ages[30]).toBeGreaterThan(29);
  });
});
