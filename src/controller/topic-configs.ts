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
    return refuse('INVALID_CONFIG', `${shown(key)}: a topic has no such setting${hint}`);
  }

  /**
   * The settings with their values as `Setting.format` writes them, without units, so that their
   * meaning does not hang on who reads them; or why one of them is not valid.
   */
  normalize(texts: ConfigTexts): ReadonlyMap<string, string> | Refusal {
    const values = new Map<string, string>();
    for (const [key, text] of Object.entries(texts)) {
      const declared = this.#settings.get(key);
      if (declared === undefined) return this.checkKey(key)!;
      if (!text.isWellFormed()) return refuse('INVALID_CONFIG', `${key}: the value is not Unicode`);
      try {
        values.set(key, declared.format(declared.parse(text)));
      } catch (error) {
        if (!(error instanceof SettingError)) throw error;
        return refuse('INVALID_CONFIG', error.message);
      }
    }
    return values;
  }
}

/** A key from outside may be anything, and of any length. */
const shown = (key: string): string =>
  JSON.stringify(key.length > 100 ? `${key.slice(0, 100)}…` : key);
