import { expect, test } from 'vitest';
import { topicByName } from '../../../../src/metadata/image.ts';
import { ConnectionWorld } from '../connection-world.ts';

const wanted = (name: string, count: number, brokers: readonly number[] | null = null) => ({
  name,
  count,
  assignments: brokers?.map((id) => ({ brokerIds: [id] })) ?? null,
});

test('every version gives topics more partitions, and says why it cannot', async () => {
  const world = await ConnectionWorld.open({}, (broker) => broker.createTopic('a'));
  const partitions = () => topicByName(world.world.broker.image, 'a')!.partitions.length;
  for (let version = 0; version <= 3; version++) {
    const more = partitions() + 1;
    const request = {
      topics: [wanted('a', more, version % 2 === 0 ? null : [1]), wanted('nowhere', 2)],
      timeoutMs: 1000,
    };
    const checked = await world.ask('CreatePartitions', version, {
      ...request,
      validateOnly: true,
    });
    expect(partitions()).toBe(more - 1);
    const answer = await world.ask('CreatePartitions', version, {
      ...request,
      validateOnly: false,
    });
    expect(answer).toEqual(checked);
    expect(answer['results']).toMatchObject([
      { name: 'a', errorCode: 0, errorMessage: null },
      { name: 'nowhere', errorCode: 3 },
    ]);
    expect(partitions()).toBe(more);
  }
  const fewer = { topics: [wanted('a', 2)], timeoutMs: 1000, validateOnly: false };
  expect((await world.ask('CreatePartitions', 3, fewer))['results']).toMatchObject([
    { errorCode: 37 },
  ]);
  const elsewhere = { topics: [wanted('a', 6, [9])], timeoutMs: 1000, validateOnly: false };
  expect((await world.ask('CreatePartitions', 3, elsewhere))['results']).toMatchObject([
    { errorCode: 39 },
  ]);
});
