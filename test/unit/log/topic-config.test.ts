import { describe, expect, it } from 'vitest';
import { parseSettings, settingKeys } from '../../../src/config/parse-settings.ts';
import {
  topicLogConfig,
  topicLogDefaultSettings,
  topicLogSettings,
} from '../../../src/log/topic-config.ts';

const defaults = parseSettings(topicLogDefaultSettings, new Map());

describe('the configuration of a topic', () => {
  it('has Kafka’s keys for topics and for brokers', () => {
    expect(settingKeys(topicLogSettings)).toContain('retention.ms');
    const brokerKeys = settingKeys(topicLogDefaultSettings);
    for (const key of [
      'log.retention.ms',
      'log.roll.ms',
      'message.max.bytes',
      'log.segment.bytes',
    ]) {
      expect(brokerKeys).toContain(key);
    }
  });

  it('is what the topic sets, else what the broker has', () => {
    const broker = parseSettings(topicLogDefaultSettings, new Map([['log.retention.ms', '1h']]));
    const config = topicLogConfig(broker, new Map([['segment.bytes', '1MiB']]));
    expect(config).toMatchObject({ retentionMs: 3_600_000, segmentBytes: 1_048_576 });
    expect(config.durability).toBe('durable');
    expect(Object.isFrozen(config)).toBe(true);
  });

  it('refuses what is not built, and says so', () => {
    const set = (key: string, text: string) => topicLogConfig(defaults, new Map([[key, text]]));
    expect(() => set('cleanup.policy', 'compact')).toThrow('cleanup.policy');
    expect(() => set('compression.type', 'zstd')).toThrow('compression.type');
    expect(() => set('retention.ms', 'soon')).toThrow('retention.ms');
  });
});
