import { existsSync } from 'node:fs';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { CpuWatch, coresDuring, cpuSecondsOf } from '../../../../bench/run/cpu-watch.ts';

const stat = (name: string) =>
  `4711 (${name}) S 1 4711 4711 0 -1 4194560 5219 0 12 0 250 130 7 8 20 0 11 0 98765 1 2 3`;

describe('the processors that a process takes', () => {
  test.each(['java', 'a b', ') 1 2 3 (', 'x) R 9'])(
    'user and system time stand behind the name, also behind %j',
    (name) => {
      expect(cpuSecondsOf(stat(name))).toBe(3.8);
    },
  );

  test('what is not the stat of a process is refused', () => {
    expect(() => cpuSecondsOf('4711 (java) S 1')).toThrow(
      "not the stat of a process: '4711 (java)",
    );
  });

  test('only what was seen within the timed part counts', () => {
    // Starts with 9 s of warm-up, then takes one core and a half, then rests.
    const samples = [0, 9, 9, 10.5, 12, 12, 12].map((cpuSeconds, i) => ({
      atUs: i * 1_000_000,
      cpuSeconds,
    }));
    expect(coresDuring(samples, { fromUs: 1_900_000, seconds: 2.2 })).toBe(1.5);
    expect(coresDuring(samples, { fromUs: 2_000_000, seconds: 2 })).toBe(1.5);
    expect(coresDuring(samples, { fromUs: 5_000_000, seconds: 1 })).toBe(0);
  });

  test('one look, or none, says nothing', () => {
    const samples = [{ atUs: 5, cpuSeconds: 1 }];
    expect(coresDuring(samples, { fromUs: 0, seconds: 1 })).toBeUndefined();
    expect(coresDuring([], { fromUs: 0, seconds: 1 })).toBeUndefined();
  });

  test('without the time of its start a load has no share', () => {
    const samples = [0, 1, 2].map((i) => ({ atUs: i, cpuSeconds: i }));
    expect(coresDuring(samples, { seconds: 1 })).toBeUndefined();
  });

  // Other systems than Linux have no /proc: there the columns are absent.
  test.runIf(existsSync('/proc/self/stat'))('a process that works is seen working', async () => {
    const watch = new CpuWatch(process.pid);
    onTestFinished(() => watch.stop());
    const always = { fromUs: 0, seconds: 1e9 };
    // The system counts in hundredths of a second.
    const work = () => {
      for (const end = process.cpuUsage().user + 20_000; process.cpuUsage().user < end; );
      expect(watch.coresDuring(always)).toBeGreaterThan(0);
    };
    await vi.waitFor(work, 20_000);
  });

  test('a process that is not there is not seen', () => {
    const watch = new CpuWatch(2 ** 30);
    onTestFinished(() => watch.stop());
    expect(watch.coresDuring({ fromUs: 0, seconds: 1e9 })).toBeUndefined();
  });
});
