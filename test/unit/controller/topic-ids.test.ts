import { expect, test } from 'vitest';
import { drawTopicId } from '../../../src/controller/topic-ids.ts';
import { emptyImage, replay } from '../../../src/metadata/image.ts';
import { topicId } from '../../../src/model/ids.ts';

/** Random bytes as a test wants them, first to last. */
function drawing(...draws: Uint8Array[]) {
  return { uint32: () => 0, bytes: () => draws.shift()! };
}
const all = (byte: number) => new Uint8Array(16).fill(byte);
const one = Uint8Array.of(...new Uint8Array(15), 1);

test('an id is 128 random bits as 22 characters', () => {
  expect(drawTopicId(drawing(all(0x41)), emptyImage)).toBe('QUFBQUFBQUFBQUFBQUFBQQ');
});

test('reserved ids and those with a dash in front are drawn again', () => {
  expect(drawTopicId(drawing(all(0), one, all(0xf8), all(0x41)), emptyImage)).toBe(
    'QUFBQUFBQUFBQUFBQUFBQQ',
  );
});

test('the id of a topic that is there, or was, is drawn again', () => {
  const there = topicId(Buffer.from(all(1)).toString('base64url'));
  const was = topicId(Buffer.from(all(2)).toString('base64url'));
  let image = replay(emptyImage, { type: 'topic', topicId: there, name: 't' }, 0);
  image = replay(image, { type: 'remove-topic', topicId: was }, 1);
  const random = drawing(all(1), all(2), all(0x41));
  expect(drawTopicId(random, image)).toBe('QUFBQUFBQUFBQUFBQUFBQQ');
});
