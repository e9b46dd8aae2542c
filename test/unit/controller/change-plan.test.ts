import { expect, test } from 'vitest';
import { ChangePlan } from '../../../src/controller/change-plan.ts';
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
  expect(plan.add([topic(20_001)])).toBeNull();
  expect(plan.records).toHaveLength(20_000);
  expect(plan.image.topics.size).toBe(20_000);
  expect(plan.image.position).toBe(6);
});
