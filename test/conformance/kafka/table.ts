import { readFileSync, writeFileSync } from 'node:fs';
import { FEATURES, type Outcome, type Outcomes } from './features.ts';

/** A column: a client and what became of it. */
export interface Column {
  readonly client: string;
  readonly outcomes: Outcomes;
}

const MARK = { true: 'yes', false: 'FAILED', unsupported: '–' } as const;
const markOf = (outcome: Outcome | undefined): string => MARK[`${outcome?.ok ?? false}`];

/** Client × feature as Markdown; `–` is what the client itself cannot do. */
export function tableOf(columns: readonly Column[]): string {
  const rows = [
    ['', ...columns.map(({ client }) => client)],
    ['---', ...columns.map(() => '---')],
    ...FEATURES.map((feature) => [
      feature,
      ...columns.map(({ outcomes }) => markOf(outcomes.get(feature))),
    ]),
  ];
  return rows.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

const BEGIN = '<!-- kafka clients: written by npm run conformance -- --write-table -->';
const END = '<!-- end of kafka clients -->';

/** The text with what is between the two markers replaced; throws if they are not there. */
export function withTable(text: string, table: string): string {
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`the text has no ${BEGIN} … ${END}`);
  return `${text.slice(0, begin)}${BEGIN}\n${table}\n${text.slice(end)}`;
}

export function writeTable(file: URL, columns: readonly Column[]): void {
  writeFileSync(file, withTable(readFileSync(file, 'utf8'), tableOf(columns)));
}
