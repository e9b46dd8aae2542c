import { describe, expect, it } from 'vitest';
import {
  formatTopicId,
  offsetFile,
  parseFolder,
  parseOffsetFile,
  parseTopicId,
  retiredFolder,
} from '../../../src/log/file-names.ts';
import { offset, topicId } from '../../../src/model/ids.ts';

const id = topicId('AAAAAAAAAAAAAAAAAAAAAQ');

describe('names of files', () => {
  it('are Kafka’s: twenty digits and a suffix', () => {
    expect(offsetFile(offset(42), '.log')).toBe('00000000000000000042.log');
    expect(parseOffsetFile('00000000000000000042.timeindex')).toEqual({
      at: 42,
      suffix: '.timeindex',
    });
    for (const name of ['42.log', '00000000000000000042.txt', '99999999999999999999.log', 'x']) {
      expect(parseOffsetFile(name)).toBe(undefined);
    }
  });

  it('tell folders of partitions, of deleted ones and of strays apart', () => {
    expect(parseFolder('my.topic-x-12')).toEqual({
      kind: 'partition',
      topicPartition: { topic: 'my.topic-x', partition: 12 },
    });
    const deleted = retiredFolder('orders-0', id, 'delete');
    expect(parseFolder(deleted)).toEqual({ kind: 'deleted', name: deleted });
    expect(parseFolder(retiredFolder('orders-0', id, 'stray'))).toMatchObject({ kind: 'stray' });
    expect(parseFolder(`${deleted}-0`)).toMatchObject({ kind: 'partition' });
    const longest = [0, 9999].map((at) => retiredFolder(`${'x'.repeat(249)}-${at}`, id, 'delete'));
    expect(longest.map((name) => name.length)).toEqual([255, 255]);
    expect(longest[0]).not.toBe(longest[1]);
    expect(parseFolder(longest[1]!)).toMatchObject({ kind: 'deleted' });
    for (const name of ['metadata', 'orders', 'orders-01', 'orders-', '-0', 'a/b-0']) {
      expect(parseFolder(name)).toBe(undefined);
    }
  });
});

describe('partition.metadata', () => {
  it('holds the topic id', () => {
    expect(parseTopicId(formatTopicId(id))).toBe(id);
    expect(parseTopicId('version: 0\ntopic_id: AAA\n')).toBe(undefined);
    expect(parseTopicId('')).toBe(undefined);
  });
});
