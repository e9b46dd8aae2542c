import { expect, test } from 'vitest';
import { renderChart } from '../../../../bench/report/chart.ts';

const chart = renderChart([
  {
    title: 'produce <1 KiB>',
    unit: 'MB/s',
    bars: [
      { label: 'Varve', system: 'varve', value: 200 },
      { label: 'Kafka', system: 'kafka', value: 50 },
      { label: 'NATS', system: 'nats', value: 0 },
    ],
  },
  { title: 'startup', unit: 'ms', bars: [{ label: 'Varve', system: 'varve', value: 7 }] },
]);

test('bars are as long as their values, on the scale of their panel', () => {
  const widths = [...chart.matchAll(/<rect .*? width="([\d.]+)"/g)].map(([, width]) =>
    Number(width),
  );
  expect(widths).toEqual([640, 160, 1, 640]);
});

test('a panel says which direction is good', () => {
  expect(chart).toContain('produce &lt;1 KiB&gt;, MB/s (more is better)');
  expect(chart).toContain('startup, ms (less is better)');
});

test('the picture is as high as its panels and nothing lies beyond it', () => {
  const height = Number(/height="(\d+)" viewBox/.exec(chart)![1]);
  const ys = [...chart.matchAll(/ y="(\d+)"/g)].map(([, y]) => Number(y));
  expect(height).toBe(2 * (28 + 12) + 4 * 20);
  expect(Math.max(...ys)).toBeLessThan(height);
});

test('colours can be read on white and on black', () => {
  const channel = (hex: string) => {
    const share = Number.parseInt(hex, 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  };
  for (const [, r, g, b] of chart.matchAll(/fill="#(..)(..)(..)"/g)) {
    const luminance = 0.2126 * channel(r!) + 0.7152 * channel(g!) + 0.0722 * channel(b!);
    expect(1.05 / (luminance + 0.05)).toBeGreaterThan(2.8);
    expect((luminance + 0.05) / 0.05).toBeGreaterThan(4);
  }
});
