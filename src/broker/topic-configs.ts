import {
  type TopicLogConfig,
  topicLogConfig,
  topicLogDefaultSettings,
  topicLogSettings,
} from '../log/topic-config.ts';
import type { TopicImage } from '../metadata/image.ts';

/** Where the value of a setting of a topic comes from. */
export type ConfigSource = 'topic' | 'broker' | 'default';

/** A setting of a topic with its value in force. */
export interface ConfigEntry {
  readonly name: string;
  readonly value: string;
  readonly source: ConfigSource;
  readonly documentation: string;
}

/** All settings of a topic, sorted by name. */
export function describeConfigs(defaults: TopicLogConfig, topic: TopicImage): ConfigEntry[] {
  const config = topicLogConfig(defaults, topic.configs);
  const names = Object.keys(topicLogSettings) as (keyof TopicLogConfig)[];
  return names
    .map((name) => describe(name, config, topic))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function describe<Name extends keyof TopicLogConfig>(
  name: Name,
  config: TopicLogConfig,
  topic: TopicImage,
): ConfigEntry {
  const setting = topicLogSettings[name];
  const value = setting.format(config[name]);
  const builtIn = setting.format(topicLogDefaultSettings[name].default);
  let source: ConfigSource = value === builtIn ? 'default' : 'broker';
  if (topic.configs.has(setting.key)) source = 'topic';
  return { name: setting.key, value, source, documentation: setting.doc };
}
