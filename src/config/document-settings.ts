import type { AnySettingGroup } from './parse-settings.ts';
import type { Setting } from './setting.ts';

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

/**
 * `markdown` with `table` between the lines `<!-- NAME -->` and `<!-- /NAME -->`; `undefined` if they
 * are not there.
 */
export function withTable(markdown: string, name: string, table: string): string | undefined {
  const mark = `<!-- ${name} -->`;
  const begin = markdown.indexOf(mark);
  const end = markdown.indexOf(`<!-- /${name} -->`, begin);
  if (begin < 0 || end < 0) return undefined;
  return `${markdown.slice(0, begin)}${mark}\n${table}\n${markdown.slice(end)}`;
}

function documentRow(declared: Setting<unknown>): string {
  const { key, type, valid, doc } = declared;
  const value = declared.describe(declared.default);
  const shown = value === '' ? '(empty)' : `\`${value}\``;
  const cells = [`\`${key}\``, valid === '' ? type : `${type}, ${valid}`, shown, doc];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
}
