import { escapeMarkup } from '../markup.ts';
import type { SystemName } from '../scenario.ts';
import { lowerIsBetter, type Unit } from '../system.ts';
import { formatNumber } from '../table.ts';

/** One measure of one scenario: a bar for each system and mode, on a scale of its own. */
export interface Panel {
  readonly title: string;
  readonly unit: Unit;
  readonly bars: readonly Bar[];
}

export interface Bar {
  readonly label: string;
  readonly system: SystemName;
  readonly value: number;
}

/**
 * Panels of horizontal bars below each other, as an SVG without a background whose colours can be read
 * on a white page and on a dark one.
 */
export function renderChart(panels: readonly Panel[]): string {
  const parts: string[] = [];
  let y = 0;
  for (const panel of panels) {
    parts.push(drawPanel(panel, y));
    y += heightOf(panel);
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${y}" viewBox="0 0 ${WIDTH} ${y}" role="img" font-family="system-ui, sans-serif" font-size="13">
${parts.join('\n')}
</svg>
`;
}

function drawPanel({ title, unit, bars }: Panel, top: number): string {
  const longest = Math.max(...bars.map(({ value }) => value));
  const direction = lowerIsBetter.has(unit) ? 'less is better' : 'more is better';
  const heading = text(0, top + 20, `${title}, ${unit} (${direction})`, ' font-weight="600"');
  const lines = bars.map(({ label, system, value }, i) => {
    const y = top + TITLE_PX + i * BAR_PX;
    const width = longest > 0 ? Math.max(1, (value / longest) * MOST_PX) : 1;
    return [
      text(LABEL_PX - 8, y + 14, label, ' text-anchor="end"'),
      `<rect x="${LABEL_PX}" y="${y + 2}" width="${width.toFixed(1)}" height="${BAR_PX - 5}" rx="2" fill="${COLOURS[system]}"/>`,
      text(LABEL_PX + width + 6, y + 14, formatNumber(value)),
    ].join('');
  });
  return [heading, ...lines].join('\n');
}

function text(x: number, y: number, content: string, more = ''): string {
  return `<text x="${Number(x.toFixed(1))}" y="${y}" fill="${INK}"${more}>${escapeMarkup(content)}</text>`;
}

const heightOf = ({ bars }: Panel): number => TITLE_PX + bars.length * BAR_PX + GAP_PX;

const WIDTH = 880;
const LABEL_PX = 150;
const MOST_PX = WIDTH - LABEL_PX - 90;
const TITLE_PX = 28;
const BAR_PX = 20;
const GAP_PX = 12;
/** In the middle between black and white. */
const INK = '#77808a';
const COLOURS: Readonly<Record<SystemName, string>> = {
  varve: '#e0702f',
  'varve-kafka': '#e8a27a',
  'varve-perf': '#e8a27a',
  'varve-librdkafka': '#e8a27a',
  kafka: '#5b8bd0',
  'kafka-perf': '#9dbbe4',
  'kafka-librdkafka': '#9dbbe4',
  nats: '#3f9f78',
  limit: '#8f98a3',
};
