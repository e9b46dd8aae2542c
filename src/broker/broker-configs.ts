import type { SettingValue } from '../config/setting-values.ts';
import { type Refusal, refuse } from '../controller/refusal.ts';
import { type ConfigEntry, type ConfigSynonym, configTypeOf } from './config-entry.ts';

/** All settings of a broker, in the order that they are given in. */
export const describeBrokerConfigs = (
  settings: readonly SettingValue[],
): ConfigEntry<string | null>[] => settings.map(describe);

/** Settings of a broker are where its operator looks for them, and nowhere else. */
export const refuseBrokerConfigs = (): Refusal =>
  refuse(
    'INVALID_REQUEST',
    'this version takes the settings of a broker from its file and command line: change them there and restart it',
  );

function describe({ declared, value: inForce }: SettingValue): ConfigEntry<string | null> {
  const { key: name, isSecret, doc: documentation } = declared;
  const builtIn = declared.format(declared.default);
  const shown = (value: string): string | null => (isSecret ? null : value);
  const synonyms: ConfigSynonym[] = [{ name, value: shown(builtIn), source: 'default' }];
  if (inForce !== builtIn) synonyms.unshift({ name, value: shown(inForce), source: 'broker' });
  return {
    name,
    value: shown(inForce),
    type: configTypeOf(declared),
    source: synonyms[0]!.source,
    synonyms,
    isReadOnly: true,
    isSensitive: isSecret,
    documentation,
  };
}
