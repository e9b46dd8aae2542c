import type { LineCounter, Node, YAMLMap } from 'yaml';
import type { GivenSetting } from './parse-settings.ts';
import { SettingError } from './setting.ts';

/**
 * Reads a YAML or JSON file (JSON is YAML) into values by dotted key. Keys may be dotted, nested or
 * both: `log.segment.bytes: 1`, `log: { segment.bytes: 1 }`. A list is its items with commas between.
 * Every scalar stays the text that is written there; its setting gives it a type. Throws
 * `SettingError` with file, line and column at the first thing that is wrong.
 */
export async function readSettingsFile(
  path: string,
  text: string,
): Promise<Map<string, GivenSetting>> {
  // Loaded when there is a file to read: it takes longer than starting a broker without one.
  const yaml = await import('yaml');
  const lineCounter = new yaml.LineCounter();
  // 'failsafe' knows texts, lists and maps only: no value turns into a number or a date by its looks.
  const document = yaml.parseDocument(text, {
    lineCounter,
    prettyErrors: false,
    schema: 'failsafe',
    uniqueKeys: false,
  });
  const reader = new SettingsFileReader(path, lineCounter, yaml);
  const mistake = document.errors[0] ?? document.warnings[0];
  if (mistake !== undefined) reader.fail('file', mistake.message, mistake.pos[0]);
  const root = document.contents;
  if (root === null) return reader.given;
  if (!yaml.isMap(root)) reader.fail('file', 'has no settings, give key: value lines', 0);
  reader.readMap('', root as YAMLMap<Node, Node | null>);
  return reader.given;
}

/** How YAML and JSON write that there is no value; in quotes they are texts. */
const nothing: ReadonlySet<string> = new Set(['', '~', 'null']);

type Yaml = typeof import('yaml');

/** Walks the nodes of a document and collects its values. */
class SettingsFileReader {
  readonly given: Map<string, GivenSetting> = new Map();
  readonly #path: string;
  readonly #lineCounter: LineCounter;
  readonly #yaml: Yaml;

  constructor(path: string, lineCounter: LineCounter, yaml: Yaml) {
    this.#path = path;
    this.#lineCounter = lineCounter;
    this.#yaml = yaml;
  }

  readMap(prefix: string, map: YAMLMap<Node, Node | null>): void {
    for (const { key, value } of map.items) {
      const position = key.range?.[0] ?? 0;
      if (!this.#yaml.isScalar<string>(key)) {
        this.fail(prefix || 'file', 'has a key that is not a plain text', position);
      }
      const name = prefix === '' ? `${key.value}` : `${prefix}.${key.value}`;
      if (this.#yaml.isMap<Node, Node | null>(value)) this.readMap(name, value);
      else this.#add(name, this.#readValue(name, value, position), position);
    }
  }

  fail(key: string, problem: string, position: number): never {
    throw new SettingError(key, problem, this.#origin(position));
  }

  #readValue(key: string, node: Node | null, position: number): string {
    if (this.#yaml.isSeq<Node>(node)) {
      return node.items.map((item) => this.#readItem(key, item, position)).join(',');
    }
    if (this.#yaml.isScalar<string>(node)) {
      const isNothing = node.type === 'PLAIN' && nothing.has(node.value);
      if (!isNothing) return node.value;
      this.fail(key, 'has no value, give one or leave the key out', position);
    }
    return this.fail(key, 'has a value that is not a text, a number or a list', position);
  }

  #readItem(key: string, item: Node, position: number): string {
    if (this.#yaml.isScalar<string>(item) && !item.value.includes(',')) return item.value;
    return this.fail(key, 'has an item that is not a text without commas', position);
  }

  #add(key: string, text: string, position: number): void {
    const earlier = this.given.get(key);
    if (earlier !== undefined) this.fail(key, `stands already at ${earlier.origin}`, position);
    this.given.set(key, { text, origin: this.#origin(position) });
  }

  #origin(position: number): string {
    const { line, col } = this.#lineCounter.linePos(position);
    return `${this.#path}:${line}:${col}`;
  }
}
