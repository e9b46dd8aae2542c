import { expect, test } from 'vitest';
import { ConnectionWorld } from '../connection-world.ts';

const open = () =>
  ConnectionWorld.open({}, async (world) => {
    await world.createTopic('b', 5);
    await world.createTopic('a', 3);
    await world.createTopic('c', 1);
  });

interface Cursor {
  readonly topicName: string;
  readonly partitionIndex: number;
}

async function ask(
  world: ConnectionWorld,
  names: readonly string[],
  responsePartitionLimit: number,
  cursor: Cursor | null = null,
) {
  const topics = names.map((name) => ({ name }));
  const request = { topics, responsePartitionLimit, cursor };
  const answer = await world.ask('DescribeTopicPartitions', 0, request);
  const told = answer['topics'] as readonly {
    readonly name: string;
    readonly errorCode: number;
    readonly partitions: readonly { readonly partitionIndex: number }[];
  }[];
  return {
    told: told.map(
      ({ name, errorCode, partitions }) =>
        `${name} ${errorCode}: ${partitions.map(({ partitionIndex }) => partitionIndex)}`,
    ),
    next: answer['nextCursor'] as Cursor | null,
  };
}

test('topics are told in order of their names, whole if they fit', async () => {
  const world = await open();
  expect(await ask(world, [], 2000)).toEqual({
    told: ['a 0: 0,1,2', 'b 0: 0,1,2,3,4', 'c 0: 0'],
    next: null,
  });
  expect(await ask(world, ['c', 'nowhere', 'a', 'a', '..'], 2000)).toEqual({
    told: ['.. 17: ', 'a 0: 0,1,2', 'c 0: 0', 'nowhere 3: '],
    next: null,
  });
});

test('pages of any size add up to the same', async () => {
  const world = await open();
  for (let limit = 1; limit <= 9; limit++) {
    const partitions: string[] = [];
    let cursor: Cursor | null = null;
    for (let page = 0; page < 12; page++) {
      const { told, next } = await ask(world, [], limit, cursor);
      for (const line of told) {
        const [topic, list] = line.split(' 0: ');
        partitions.push(...list!.split(',').map((partition) => `${topic}${partition}`));
      }
      cursor = next;
      if (cursor === null) break;
    }
    expect(cursor).toBeNull();
    expect(partitions.join(' ')).toBe('a0 a1 a2 b0 b1 b2 b3 b4 c0');
  }
});

test('a cursor into a topic that is gone goes on behind it, one without sense from its beginning', async () => {
  const world = await open();
  const gone = { topicName: 'aa', partitionIndex: 1 };
  expect((await ask(world, [], 2000, gone)).told).toEqual(['b 0: 0,1,2,3,4', 'c 0: 0']);
  const negative = { topicName: 'c', partitionIndex: -5 };
  expect((await ask(world, [], -1, negative)).told).toEqual(['c 0: 0']);
});
