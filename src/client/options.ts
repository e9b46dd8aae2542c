import { argumentError } from './errors.ts';

/** Options come from programs that may not be type-checked; each check names the option. */
export function wholeNumber(
  name: string,
  value: number,
  bounds: { readonly min: number; readonly max?: number },
): number {
  const { min, max = Number.MAX_SAFE_INTEGER } = bounds;
  if (Number.isSafeInteger(value) && value >= min && value <= max) return value;
  const range = max === Number.MAX_SAFE_INTEGER ? `from ${min} on` : `from ${min} to ${max}`;
  throw argumentError(`${name} must be a whole number ${range}, not ${String(value)}`);
}

export function milliseconds(name: string, value: number, min: number): number {
  if (Number.isFinite(value) && value >= min) return value;
  throw argumentError(`${name} must be milliseconds from ${min} on, not ${String(value)}`);
}

export function oneOf<T extends string>(name: string, value: T, values: readonly T[]): T {
  if (values.includes(value)) return value;
  const wanted = values.map((one) => `'${one}'`).join(', ');
  throw argumentError(`${name} must be one of ${wanted}, not ${JSON.stringify(value)}`);
}

/** A topic name as given; whether it exists is the cluster's to say. */
export function topicName(value: unknown): string {
  if (typeof value === 'string' && value !== '') return value;
  throw argumentError(`a topic is named by a text, not ${JSON.stringify(value)}`);
}

export const partitionIndex = (value: number, topic: string): number =>
  wholeNumber(`the partition of ${topic}`, value, { min: 0 });
