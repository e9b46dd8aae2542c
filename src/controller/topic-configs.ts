import { type AnySettingGroup, nearestKey } from '../config/parse-settings.ts';
import { type Setting, SettingError } from '../config/setting.ts';
import { type Refusal, refuse } from './refusal.ts';

/** Settings by key as a request has them. */
export type ConfigTexts = { readonly [key: string]: string };

/** The settings that a topic can have of its own; checks what requests say about them. */
export class TopicConfigRules {
  readonly #settings: ReadonlyMap<string, Setting<unknown>>;

  constructor(group: AnySettingGroup) {
    this.#settings = new Map(Object.values(group).map((declared) => [declared.key, declared]));
  }

  checkKey(key: string): Refusal | null {
    if (this.#settings.has(key)) return null;
    const nearest = nearestKey(key, [...this.#settings.keys()]);
    const hint = nearest === undefined ? '' : `, did you mean ${nearest}`;
    return refuse('INVALID_CONFIG', `${shownKey(key)}: a topic has no such setting${hint}`);
  }

  /**
   * The settings with their values as `Setting.format` writes them, without units, so that their
   * meaning does not hang on who reads them; or why one of them is not valid.
   */
  normalize(texts: ConfigTexts): ReadonlyMap<string, string> | Refusal {
    const values = new Map<string, string>();
    for (const [key, text] of Object.entries(texts)) {
      const value = this.normalizeOne(key, text);
      if (typeof value !== 'string') return value;
      values.set(key, value);
    }
    return values;
  }

  /** As `normalize`, for one setting. */
  normalizeOne(key: string, text: string): string | Refusal {
    const declared = this.#settings.get(key);
    if (declared === undefined) return this.checkKey(key)!;
    if (!text.isWellFormed()) return refuse('INVALID_CONFIG', `${key}: the value is not Unicode`);
    try {
      return declared.format(declared.parse(text));
    } catch (error) {
      if (!(error instanceof SettingError)) throw error;
      return refuse('INVALID_CONFIG', error.message);
    }
  }

  /** The items of a list, of its default if `text` is missing; refused if the setting is no list. */
  itemsOf(key: string, text: string | undefined): readonly string[] | Refusal {
    const declared = this.#settings.get(key);
    if (declared === undefined) return this.checkKey(key)!;
    if (declared.type !== 'list') {
      const detail = `${key} is not a list, so nothing can be appended to it or subtracted from it`;
      return refuse('INVALID_CONFIG', detail);
    }
    const items = text ?? declared.format(declared.default);
    return items === '' ? [] : items.split(',');
  }
}

/** A key from outside may be anything, and of any length. */
export const shownKey = (key: string): string =>
  JSON.stringify(key.length > 100 ? `${key.slice(0, 100)}…` : key);
