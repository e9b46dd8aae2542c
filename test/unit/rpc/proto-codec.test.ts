import protobuf from 'protobufjs';
import { describe, expect, test } from 'vitest';
import { CorruptError } from '../../../src/codec/reader.ts';
import { adminMethods } from '../../../src/rpc/admin-service.ts';
import { loadProto } from '../../../src/rpc/proto-codec.ts';
import { bytes } from './transport-world.ts';

const root = loadProto('varve/v1/admin.proto');
const { createTopics, listOffsets, describeConfigs, alterConfigs, deleteTopics } = adminMethods;

describe('codecs by reflection', () => {
  test('let the last member of a oneof win', () => {
    const query = protobuf.Writer.create().uint32(0x18).bool(true).uint32(0x28).int64(7).finish();
    const encoded = protobuf.Writer.create().uint32(0x0a).bytes(query).finish();
    const { partitions } = listOffsets.request.decode(encoded);
    expect(partitions[0]).toMatchObject({ earliest: undefined, timestampMs: 7 });
  });

  test('name enums, and take one that they do not know for the first', () => {
    const entry = { name: 'n', value: 'v', documentation: '' };
    const entries = [{ ...entry, source: 'CONFIG_SOURCE_DEFAULT' as const }];
    const response = { topics: [{ name: 't', entries }] };
    const { encode, decode } = describeConfigs.response;
    expect(decode(encode(response))).toEqual(response);
    const type = root.lookupType('varve.v1.DescribeConfigsResponse');
    const unknown = type
      .encode({ topics: [{ name: 't', entries: [{ ...entry, source: 99 }] }] })
      .finish();
    expect(decode(unknown).topics[0]!.entries[0]!.source).toBe('CONFIG_SOURCE_UNSPECIFIED');
  });

  test('make names of JavaScript harmless as keys of a map', () => {
    const type = root.lookupType('varve.v1.AlterConfigsRequest');
    const entry = (key: string): Uint8Array =>
      protobuf.Writer.create().uint32(0x0a).string(key).uint32(0x12).string('evil').finish();
    const topic = protobuf.Writer.create();
    for (const key of ['__proto__', 'constructor', 'toString'])
      topic.uint32(0x12).bytes(entry(key));
    const encoded = protobuf.Writer.create().uint32(0x0a).bytes(topic.finish()).finish();
    expect(type.decode(encoded)).toBeDefined();
    const { set } = alterConfigs.request.decode(encoded).topics[0]!;
    expect(Object.keys(set).sort()).toEqual(['__proto__', 'constructor', 'toString']);
    expect(Object.getPrototypeOf(set)).toBe(null);
    expect(({} as { evil?: unknown }).evil).toBeUndefined();
    expect({}.toString).toBe(Object.prototype.toString);
  });

  test('refuse 64-bit numbers that they cannot hold', () => {
    const type = root.lookupType('varve.v1.ListOffsetsResponse');
    for (const offset of ['9007199254740992', '9007199254740993', '-9223372036854775808']) {
      const encoded = type.encode(type.fromObject({ partitions: [{ offset }] })).finish();
      expect(() => listOffsets.response.decode(encoded)).toThrow(CorruptError);
    }
    const largest = type.encode(type.fromObject({ partitions: [{ offset: '9007199254740991' }] }));
    const { partitions } = listOffsets.response.decode(largest.finish());
    expect(partitions[0]!.offset).toBe(Number.MAX_SAFE_INTEGER);
  });

  test('refuse what is no message, also groups within groups', () => {
    const deep = new Uint8Array(200_000).fill(0x7b);
    const nested = protobuf.Writer.create().uint32(0x0a).bytes(deep).finish();
    for (const encoded of [bytes(0xff), bytes(0x0a, 5, 1), deep, nested]) {
      expect(() => createTopics.request.decode(encoded)).toThrow(CorruptError);
      expect(() => createTopics.response.decode(encoded)).toThrow(CorruptError);
    }
  });

  test('refuse requests that would cost much more than they weigh', () => {
    const many = new Uint8Array(2 * 10_001);
    for (let i = 0; i < many.length; i += 2) many[i] = 0x0a;
    expect(() => deleteTopics.request.decode(many)).toThrow('more than 10000 fields');
    expect(deleteTopics.request.decode(many.subarray(2)).names).toHaveLength(10_000);
    // Small parts deep inside count as well.
    const unset = new Uint8Array(600_000);
    for (let i = 0; i < unset.length; i += 3) unset.set([0x1a, 1, 0x61], i);
    const nested = protobuf.Writer.create().uint32(0x0a).bytes(unset).finish();
    expect(() => alterConfigs.request.decode(nested)).toThrow('too many parts');
    const large = deleteTopics.request.encode({ names: ['x'.repeat(1024 * 1024)] });
    expect(() => deleteTopics.request.decode(large)).toThrow('are more than the 1048576 allowed');
  });
});
