import type { AnySettingGroup } from './parse-settings.ts';
import type { Setting } from './setting.ts';

/** The lines between which a README carries the generated table. */
export const SETTINGS_BEGIN = '<!-- settings -->';
export const SETTINGS_END = '<!-- /settings -->';

/** A markdown table of all settings of `groups`, by key. A key of several groups stands once. */
export function documentSettings(groups: readonly AnySettingGroup[]): string {
  const byKey = new Map<string, Setting<unknown>>();
  for (const group of groups) {
    for (const declared of Object.values(group)) byKey.set(declared.key, declared);
  }
  const rows = [...byKey.values()].sort((a, b) => (a.key < b.key ? -1 : 1)).map(documentRow);
  return ['| setting | type | default | what it does |', '| --- | --- | --- | --- |', ...rows].join(
    '\n',
  );
}

/** `markdown` with `table` between the two marks; `undefined` if the marks are not there. */
export function withSettingsTable(markdown: string, table: string): string | undefined {
  const begin = markdown.indexOf(SETTINGS_BEGIN);
  const end = markdown.indexOf(SETTINGS_END, begin);
  if (begin < 0 || end < 0) return undefined;
  const before = markdown.slice(0, begin + SETTINGS_BEGIN.length);
  return `${before}\n${table}\n${markdown.slice(end)}`;
}

function documentRow(declared: Setting<unknown>): string {
  const { key, type, valid, doc } = declared;
  const value = declared.describe(declared.default);
  const shown = value === '' ? '(empty)' : `\`${value}\``;
  const cells = [`\`${key}\``, valid === '' ? type : `${type}, ${valid}`, shown, doc];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
}
