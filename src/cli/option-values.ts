import { InvalidArgumentError } from 'commander';
import { parseQuantity, timeUnits } from '../config/units.ts';
import { parseAddress } from '../rpc/address.ts';
import { parseStartPosition, START_POSITION_FORMS, type StartPosition } from './start-position.ts';

/** Settings by key, from `--config key=value` given any number of times. */
export type KeyValues = Readonly<Record<string, string>>;

const MAX_INT32 = 2 ** 31 - 1;

/** A whole number of at least `min`. */
export const wholeNumber =
  (min: number, max: number = MAX_INT32) =>
  (text: string): number => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw new InvalidArgumentError(`it must be a whole number from ${min} to ${max}`);
  };

/** Adds one `key=value` to those before. */
export function addKeyValue(text: string, before: KeyValues | undefined): KeyValues {
  const equals = text.indexOf('=');
  if (equals < 1) throw new InvalidArgumentError('it must be key=value');
  return { ...before, [text.slice(0, equals).trim()]: text.slice(equals + 1) };
}

export const addItem = (text: string, before: readonly string[] | undefined): readonly string[] => [
  ...(before ?? []),
  text,
];

/** Milliseconds from `120s`, `5m` or a bare number of milliseconds. */
export function duration(text: string): number {
  const ms = parseQuantity(text, timeUnits);
  if (ms !== undefined && ms > 0) return ms;
  throw new InvalidArgumentError('it must be a duration such as 120s or 5m');
}

/** `HOST:PORT`, several with commas between. */
export function brokerList(text: string): readonly string[] {
  const brokers = text.split(',').map((broker) => broker.trim());
  for (const broker of brokers) {
    try {
      parseAddress(broker);
    } catch (error) {
      throw new InvalidArgumentError((error as Error).message);
    }
  }
  return brokers;
}

export function startPosition(text: string): StartPosition {
  const position = parseStartPosition(text);
  if (position !== undefined) return position;
  throw new InvalidArgumentError(`it must be ${START_POSITION_FORMS}`);
}

/** A text of at least one character. */
export function someText(text: string): string {
  if (text.length > 0) return text;
  throw new InvalidArgumentError('it must not be empty');
}
