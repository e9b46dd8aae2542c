import type { GivenSetting } from './parse-settings.ts';
import { nearestKey } from './parse-settings.ts';
import { SettingError } from './setting.ts';
import { readSettingsFile } from './settings-file.ts';

/**
 * Where settings come from, each overriding those before it: built-in defaults, a file, environment
 * variables, flags. The sources are plain data; reading the file and the process's environment is
 * the composition root's work.
 */
export interface SettingSources {
  readonly file?: { readonly path: string; readonly text: string };
  readonly variables?: Readonly<Record<string, string | undefined>>;
  /** `key=value`, as given to `--set`. A later one overrides an earlier one. */
  readonly flags?: readonly string[];
}

export interface CollectedSettings {
  readonly given: ReadonlyMap<string, GivenSetting>;
  /** What deserves a warning, a sentence each: variables that look like settings but are none. */
  readonly warnings: readonly string[];
}

/**
 * Lays the sources over one another. `keys` are all keys there are. Throws `SettingError` for what
 * cannot be read; keys that do not exist are left to `checkUnknown`.
 *
 * A variable is named `VARVE_` and the key in upper case with `_` for `.`: `VARVE_LOG_SEGMENT_BYTES`
 * is `log.segment.bytes`. One that fits no key is a warning, not an error: orchestrators make up
 * variables of their own (a Kubernetes service named `varve` puts `VARVE_SERVICE_HOST` into every
 * container).
 */
export async function collectSettings(
  sources: SettingSources,
  keys: readonly string[],
): Promise<CollectedSettings> {
  const given = new Map<string, GivenSetting>();
  const { file, variables = {}, flags = [] } = sources;
  if (file !== undefined) {
    for (const [key, value] of await readSettingsFile(file.path, file.text)) given.set(key, value);
  }
  const warnings = addVariables(given, variables, keys);
  for (const flag of flags) addFlag(given, flag);
  return { given, warnings };
}

/** The environment variable of a setting. */
export const variableName = (key: string): string =>
  `${PREFIX}${key.toUpperCase().replaceAll('.', '_')}`;

const PREFIX = 'VARVE_';

/** Variables with the prefix that are not settings but the command line's. */
const otherVariables: ReadonlySet<string> = new Set([
  'VARVE_BROKERS',
  'VARVE_CONFIG',
  'VARVE_DEBUG',
]);

function addVariables(
  given: Map<string, GivenSetting>,
  variables: Readonly<Record<string, string | undefined>>,
  keys: readonly string[],
): string[] {
  const keyByVariable = new Map(keys.map((key) => [variableName(key), key]));
  const warnings: string[] = [];
  for (const [name, text] of Object.entries(variables)) {
    if (text === undefined || !name.startsWith(PREFIX) || otherVariables.has(name)) continue;
    const key = keyByVariable.get(name);
    if (key !== undefined) {
      given.set(key, { text, origin: name });
      continue;
    }
    const nearest = nearestKey(name, [...keyByVariable.keys()]);
    const hint = nearest === undefined ? '' : `, did you mean ${nearest}`;
    warnings.push(`${name} is the variable of no setting${hint}`);
  }
  return warnings;
}

function addFlag(given: Map<string, GivenSetting>, flag: string): void {
  const equals = flag.indexOf('=');
  if (equals < 1) throw new SettingError(flag, 'has no value, give key=value', '--set');
  const key = flag.slice(0, equals).trim();
  given.set(key, { text: flag.slice(equals + 1), origin: '--set' });
}
