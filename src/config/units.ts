/**
 * Numbers that people write with a unit: `64MiB`, `30s`, `7d`. Sizes count in powers of 1024 and
 * say so (`MiB`; `MB` is refused because it is read both ways), durations in milliseconds.
 */
export interface Units {
  /** What such a number is, for messages: `a size in bytes`. */
  readonly noun: string;
  /** Factor of each unit, smallest first. The first is the unit of a bare number. */
  readonly factors: ReadonlyMap<string, number>;
}

export const byteUnits: Units = {
  noun: 'a size in bytes',
  factors: new Map([
    ['B', 1],
    ['KiB', 1024],
    ['MiB', 1024 ** 2],
    ['GiB', 1024 ** 3],
    ['TiB', 1024 ** 4],
  ]),
};

export const timeUnits: Units = {
  noun: 'a duration in milliseconds',
  factors: new Map([
    ['ms', 1],
    ['s', 1000],
    ['m', 60_000],
    ['h', 3_600_000],
    ['d', 86_400_000],
  ]),
};

export const noUnits: Units = { noun: 'a whole number', factors: new Map() };

const quantity = /^(-?\d+) ?([A-Za-z]*)$/;

/** The number that `text` says in the smallest unit; `undefined` if it says none exactly. */
export function parseQuantity(text: string, units: Units): number | undefined {
  const match = quantity.exec(text.trim());
  if (match === null) return undefined;
  const [, digits, unit] = match;
  const factor = unit === '' ? 1 : units.factors.get(unit!);
  if (factor === undefined) return undefined;
  const value = Number(digits) * factor;
  return Number.isSafeInteger(value) ? value : undefined;
}

/** `value` in the largest unit that divides it: `67108864` is `64 MiB`, `1500` is `1500 ms`. */
export function describeQuantity(value: number, units: Units): string {
  let best = `${value}`;
  if (value <= 0) return best;
  for (const [unit, factor] of units.factors) {
    if (value % factor === 0) best = `${value / factor} ${unit}`;
  }
  return best;
}
