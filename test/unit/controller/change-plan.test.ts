import { expect, test } from 'vitest';
import { parseSettings } from '../../../src/config/parse-settings.ts';
import { ChangePlan } from '../../../src/controller/change-plan.ts';
import { controllerSettings } from '../../../src/controller/controller-config.ts';
import { createTopics } from '../../../src/controller/create-topics.ts';
import { TopicConfigRules } from '../../../src/controller/topic-configs.ts';
import { topicLogSettings } from '../../../src/log/topic-config.ts';
import { emptyImage } from '../../../src/metadata/image.ts';
import type { MetadataRecord } from '../../../src/metadata/metadata-records.ts';
import { Errors } from '../../../src/model/errors.ts';
import { topicId } from '../../../src/model/ids.ts';
import { newTopic, started, told } from './started-controller.ts';

test('a request that changes too much does what fits', async () => {
  const { controller } = await started();
  const results = await controller.createTopics([
    newTopic('large', { partitionCount: 9000 }),
    newTopic('larger', { partitionCount: 9000 }),
    newTopic('too-much', { partitionCount: 2000 }),
    newTopic('small'),
  ]);
  expect(told(results)).toEqual([
    'large ok',
    'larger ok',
    expect.stringContaining('too-much POLICY_VIOLATION: the request changes too much at once'),
    'small ok',
  ]);
});

test('nothing is drawn and placed for topics that do not fit: there can be many', async () => {
  const { controller } = await started();
  let draws = 0;
  const random = {
    uint32: () => ++draws,
    bytes: (count: number) => new Uint8Array(count).fill(++draws),
  };
  const config = parseSettings(controllerSettings, new Map());
  const configRules = new TopicConfigRules(topicLogSettings);
  const plan = new ChangePlan(controller.image, 5);
  const make = (name: string) =>
    createTopics(plan, [newTopic(name, { partitionCount: 10_000 })], {
      config,
      random,
      configRules,
    });
  expect(told(make('large'))).toEqual(['large ok']);
  const drawn = draws;
  for (const name of ['b', 'c']) {
    expect(told(make(name))).toEqual([expect.stringContaining('POLICY_VIOLATION')]);
  }
  expect(draws).toBe(drawn);
});

test('an item that does not fit leaves nothing behind', () => {
  const plan = new ChangePlan(emptyImage, 5);
  const topic = (n: number): MetadataRecord => ({
    type: 'topic',
    topicId: topicId(String(n).padStart(22, 'x')),
    name: `t${n}`,
  });
  const first = Array.from({ length: 19_999 }, (_, n) => topic(n));
  expect(plan.add(first)).toBeNull();
  const { image } = plan;
  expect(plan.add([topic(19_999), topic(20_000)])).toMatchObject({ row: Errors.POLICY_VIOLATION });
  expect(plan.image).toBe(image);
  expect([plan.checkRoom(1), plan.checkRoom(2)?.row]).toEqual([null, Errors.POLICY_VIOLATION]);
  expect(plan.add([topic(20_001)])).toBeNull();
  expect(plan.records).toHaveLength(20_000);
  expect(plan.image.topics.size).toBe(20_000);
  expect(plan.image.position).toBe(6);
});
