import { parseQuantity, timeUnits } from '../config/units.ts';

/** Where a reader begins. */
export type StartPosition =
  | 'earliest'
  | 'latest'
  | { readonly offset: number }
  /** The first record of this time or later, in ms since 1970. */
  | { readonly timestampMs: number }
  /** That many ms before now. */
  | { readonly agoMs: number };

export const START_POSITION_FORMS =
  'earliest, latest, an offset, a time (2026-01-31T12:00:00Z, 1769860800000ms) or how long ago (-5m)';

/**
 * Reads what `--from` says: `earliest`, `latest`, an offset, a time as RFC 3339 or in milliseconds
 * with `ms` behind them, or a duration ago. `undefined` if it is none of these.
 */
export function parseStartPosition(text: string): StartPosition | undefined {
  if (text === 'earliest' || text === 'latest') return text;
  if (/^\d+$/.test(text)) return safe(Number(text), (offset) => ({ offset }));
  if (/^\d+ms$/.test(text)) {
    return safe(Number(text.slice(0, -2)), (timestampMs) => ({ timestampMs }));
  }
  if (/^-\d+[a-z]+$/.test(text)) {
    const agoMs = parseQuantity(text.slice(1), timeUnits);
    return agoMs === undefined ? undefined : { agoMs };
  }
  return parseTime(text);
}

function safe<T>(value: number, make: (value: number) => T): T | undefined {
  return Number.isSafeInteger(value) ? make(value) : undefined;
}

const rfc3339 =
  /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d:\d\d:\d\d)(\.\d+)?([Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

function parseTime(text: string): StartPosition | undefined {
  const match = rfc3339.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, time, fraction = '', zone] = match;
  // A day that the month does not have would pass as one of the next month.
  if (Number(day) > new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate()) {
    return undefined;
  }
  const iso = `${year}-${month}-${day}T${time}${fraction.slice(0, 4)}${zone!.toUpperCase()}`;
  const timestampMs = Date.parse(iso);
  // Times before 1970 are no timestamps of records.
  return timestampMs >= 0 ? { timestampMs } : undefined;
}
