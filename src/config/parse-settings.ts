import { type Setting, SettingError, type SettingGroup } from './setting.ts';

/** A value as it was given, and where: `varve.yaml:3:5`, the name of a variable, a flag. */
export interface GivenSetting {
  readonly text: string;
  readonly origin: string;
}

/** Values by key. Plain text has no origin to name in errors: topic settings from a request. */
export type GivenSettings = ReadonlyMap<string, string | GivenSetting>;

/** Any group, when the types of its values do not matter. */
export type AnySettingGroup = { readonly [name: string]: Setting<unknown> };

/**
 * The frozen values of a group: what is given, defaults for the rest. Keys of other groups are
 * ignored (`checkUnknown` is for those). Throws `SettingError` at the first value that is not valid.
 */
export function parseSettings<T>(group: SettingGroup<T>, given: GivenSettings): Readonly<T> {
  const values: Partial<T> = {};
  for (const name of Object.keys(group) as (keyof T)[]) {
    const declared = group[name];
    const found = given.get(declared.key);
    values[name] = found === undefined ? declared.default : parseGiven(declared, found);
  }
  return Object.freeze(values as T);
}

/** The keys of a group in the order of their declaration. */
export const settingKeys = (group: AnySettingGroup): string[] =>
  Object.values(group).map((declared) => declared.key);

/** Throws `SettingError` for the first given key that no group declares, with the nearest that one does. */
export function checkUnknown(given: GivenSettings, groups: readonly AnySettingGroup[]): void {
  const known = groups.flatMap(settingKeys);
  for (const [key, value] of given) {
    if (known.includes(key)) continue;
    const origin = typeof value === 'string' ? undefined : value.origin;
    const nearest = nearestKey(key, known);
    const hint = nearest === undefined ? '' : `, did you mean ${nearest}`;
    throw new SettingError(key, `there is no such setting${hint}`, origin);
  }
}

/** The known key that is few enough edits away from `key` to be what was meant. */
export function nearestKey(key: string, known: readonly string[]): string | undefined {
  let nearest: string | undefined;
  let best = Math.floor(key.length / 3) + 1;
  for (const candidate of known) {
    // Also the bound of the work: a key from outside may be of any length.
    if (Math.abs(key.length - candidate.length) >= best) continue;
    const distance = editDistance(key, candidate);
    if (distance < best) {
      best = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

function parseGiven<T>(declared: Setting<T>, given: string | GivenSetting): T {
  if (typeof given === 'string') return declared.parse(given);
  try {
    return declared.parse(given.text);
  } catch (error) {
    if (!(error instanceof SettingError)) throw error;
    throw new SettingError(error.key, error.problem, given.origin);
  }
}

/** Levenshtein distance: insertions, deletions and replacements of one character. */
function editDistance(from: string, to: string): number {
  let previous = Array.from({ length: to.length + 1 }, (_, i) => i);
  for (let i = 1; i <= from.length; i++) {
    const current = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = previous[j - 1]! + (from[i - 1] === to[j - 1] ? 0 : 1);
      current.push(Math.min(replaced, previous[j]! + 1, current[j - 1]! + 1));
    }
    previous = current;
  }
  return previous[to.length]!;
}
