import {
  type TopicLogConfig,
  topicLogConfig,
  topicLogDefaultSettings,
  topicLogSettings,
} from '../log/topic-config.ts';
import type { TopicImage } from '../metadata/image.ts';
import { type ConfigEntry, type ConfigSynonym, configTypeOf } from './config-entry.ts';

/** All settings of a topic, sorted by name. */
export function describeConfigs(defaults: TopicLogConfig, topic: TopicImage): ConfigEntry[] {
  const config = topicLogConfig(defaults, topic.configs);
  const names = Object.keys(topicLogSettings) as (keyof TopicLogConfig)[];
  return names
    .map((name) => describe(name, { config, defaults }, topic))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function describe<Name extends keyof TopicLogConfig>(
  name: Name,
  { config, defaults }: { readonly config: TopicLogConfig; readonly defaults: TopicLogConfig },
  topic: TopicImage,
): ConfigEntry {
  const setting = topicLogSettings[name];
  const { key, default: builtIn } = topicLogDefaultSettings[name];
  const value = setting.format(config[name]);
  const ofBroker = setting.format(defaults[name]);
  const ofProgram = setting.format(builtIn);
  const synonyms: ConfigSynonym[] = [{ name: key, value: ofProgram, source: 'default' }];
  if (ofBroker !== ofProgram) synonyms.unshift({ name: key, value: ofBroker, source: 'broker' });
  if (topic.configs.has(setting.key)) {
    synonyms.unshift({ name: setting.key, value, source: 'topic' });
  }
  return {
    name: setting.key,
    value,
    type: configTypeOf(setting),
    source: synonyms[0]!.source,
    synonyms,
    isReadOnly: false,
    isSensitive: setting.isSecret,
    documentation: setting.doc,
  };
}
