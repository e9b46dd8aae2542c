import { expect, test } from 'vitest';
import { Compression } from '../../../../src/codec/compression.ts';
import { BatchField } from '../../../../src/records/batch-view.ts';
import { apiNamed, requestFrame } from '../../../support/kafka-requests.ts';
import { sealed } from '../../grpc/sealed-batch.ts';
import { makeBatch } from '../../log/log-world.ts';
import { ConnectionWorld } from '../connection-world.ts';

const open = () => ConnectionWorld.open({}, (world) => world.createTopic('t', 2));

type Records = Uint8Array | null;

const requestOf = (records: Records, more: object = {}, name = 't', index = 0) => ({
  transactionalId: null,
  acks: -1,
  timeoutMs: 1000,
  topicData: [{ name, partitionData: [{ index, records: records === null ? null : [records] }] }],
  ...more,
});

interface Answer {
  readonly responses: readonly { readonly partitionResponses: readonly Partition[] }[];
}

interface Partition {
  readonly errorCode: number;
  readonly baseOffset: number;
  readonly errorMessage: string | null;
}

async function produce(
  world: ConnectionWorld,
  version: number,
  ...of: Parameters<typeof requestOf>
): Promise<Partition> {
  const answer = (await world.ask('Produce', version, requestOf(...of))) as unknown as Answer;
  return answer.responses[0]!.partitionResponses[0]!;
}

test('every version appends, and tells where', async () => {
  const world = await open();
  for (let version = 3; version <= 11; version++) {
    const answer = await produce(world, version, makeBatch({ count: 2 }));
    expect(answer).toMatchObject({ errorCode: 0, baseOffset: 2 * (version - 3) });
  }
  expect(world.memory.usedBytes).toBe(0);
});

test('requests that follow each other at once are appended in their order, and share a commit', async () => {
  const world = await open();
  world.world.stallDisk(1000);
  const api = apiNamed('Produce');
  const frames = [1, 2, 3].map((id) =>
    requestFrame(api, 9, id, requestOf(makeBatch({ count: id }))),
  );
  await world.send(...frames);
  await world.world.until(() => world.wire.frames.length === 3);
  expect(world.wire.answered).toEqual([1, 2, 3]);
});

/** A batch with another byte at a place; counted from its end if it is negative. */
function withByte(at: number, byte: number): Uint8Array {
  const batch = makeBatch();
  batch[at < 0 ? batch.length + at : at] = byte;
  return batch;
}

const zstd = sealed(withByte(BatchField.attributes + 1, Compression.zstd));

test.each<[string, Records, number, object, number]>([
  ['no records', null, 9, {}, 87],
  ['less than a batch', makeBatch().subarray(0, 60), 9, {}, 87],
  ['two batches', Buffer.concat([makeBatch(), makeBatch()]), 9, {}, 87],
  ['a batch that is cut short', makeBatch().subarray(0, -1), 9, {}, 87],
  ['an older format', withByte(BatchField.magic, 1), 9, {}, 87],
  ['a wrong checksum', withByte(-1, 99), 9, {}, 2],
  ['zstd before its version', zstd, 6, {}, 76],
  ['other acks', makeBatch(), 9, { acks: 2 }, 21],
  ['a transaction', makeBatch(), 9, { transactionalId: 'x' }, 42],
])('%s is refused, and nothing of it stored', async (_, records, version, more, errorCode) => {
  const world = await open();
  expect(await produce(world, version, records, more)).toMatchObject({ errorCode, baseOffset: -1 });
  expect(await produce(world, 9, makeBatch())).toMatchObject({ errorCode: 0, baseOffset: 0 });
});

test('partitions that are not there are refused beside one that is', async () => {
  const world = await open();
  for (const index of [2, -1, 2 ** 31 - 1, -(2 ** 31)]) {
    expect(await produce(world, 9, makeBatch(), {}, 't', index)).toMatchObject({ errorCode: 3 });
  }
  const partition = (index: number) => ({ index, records: [makeBatch()] });
  const answer = await world.ask('Produce', 9, {
    ...requestOf(null),
    topicData: [
      { name: 't', partitionData: [partition(1), { index: 0, records: null }, partition(7)] },
      { name: 'none', partitionData: [partition(0)] },
    ],
  });
  const { responses } = answer as unknown as Answer;
  const codes = responses.map((each) => each.partitionResponses.map(({ errorCode }) => errorCode));
  expect(codes).toEqual([[0, 87, 3], [3]]);
});

test('without acks nothing is answered, and what is not stored ends the connection', async () => {
  const world = await open();
  const api = apiNamed('Produce');
  const frame = (records: Records) => requestFrame(api, 9, 1, requestOf(records, { acks: 0 }));
  await world.send(frame(makeBatch()));
  await world.world.pass(1000);
  expect([world.wire.frames, world.wire.end]).toEqual([[], 'open']);
  await world.send(frame(null));
  await world.world.pass(1000);
  expect([world.wire.frames, world.wire.end]).toEqual([[], 'cut']);
  expect(world.refused).toEqual(['acks=0 and not stored']);
  expect(world.memory.usedBytes).toBe(0);
});

test('while there is no memory for more, a client is told to try again', async () => {
  const world = await ConnectionWorld.open({ 'queued.max.request.bytes': '1MiB' }, (each) =>
    each.createTopic('t'),
  );
  world.memory.hold(1024 * 1024);
  expect(await produce(world, 9, makeBatch())).toMatchObject({ errorCode: 7 });
  world.memory.give(1024 * 1024);
  expect(await produce(world, 9, makeBatch())).toMatchObject({ errorCode: 0 });
});
