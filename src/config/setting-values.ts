import { type AnySettingGroup, type GivenSettings, parseSettings } from './parse-settings.ts';
import type { Setting } from './setting.ts';

/** A setting and what it is. */
export interface SettingValue {
  readonly declared: Setting<unknown>;
  /** As `Setting.format` writes it. */
  readonly value: string;
}

/**
 * All settings of `groups` with their values in force, by key. A key of several groups stands once.
 * Throws `SettingError` for a value that is not valid.
 */
export function settingValues(
  groups: readonly AnySettingGroup[],
  given: GivenSettings,
): SettingValue[] {
  const byKey = new Map<string, SettingValue>();
  for (const group of groups) {
    const values = parseSettings<{ readonly [name: string]: unknown }>(group, given);
    for (const [name, declared] of Object.entries(group)) {
      byKey.set(declared.key, { declared, value: declared.format(values[name]) });
    }
  }
  return [...byKey.values()].sort((a, b) => (a.declared.key < b.declared.key ? -1 : 1));
}
