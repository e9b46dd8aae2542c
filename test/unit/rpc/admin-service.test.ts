import { readFileSync } from 'node:fs';
import protobuf from 'protobufjs';
import { describe, expect, test } from 'vitest';
import { CorruptError } from '../../../src/codec/reader.ts';
import { adminMethods } from '../../../src/rpc/admin-service.ts';
import { loadProto } from '../../../src/rpc/proto-codec.ts';
import { bytes } from './transport-contract.ts';

const root = loadProto('varve/v1/admin.proto');
const namespace = root.lookup('varve.v1') as protobuf.Namespace;
const { createTopics, listOffsets, describeConfigs, alterConfigs, deleteTopics } = adminMethods;

describe('the methods', () => {
  test('are those of the proto', () => {
    const service = root.lookupService('varve.v1.AdminService');
    expect(Object.keys(adminMethods).sort()).toEqual(
      service.methodsArray.map(({ name }) => name[0]!.toLowerCase() + name.slice(1)).sort(),
    );
    for (const [name, method] of Object.entries(adminMethods)) {
      const rpc = service.methods[name[0]!.toUpperCase() + name.slice(1)]!;
      expect(method.path).toBe(`/varve.v1.AdminService/${rpc.name}`);
      expect(rpc.requestType).toBe(`${rpc.name}Request`);
      expect(rpc.responseType).toBe(`${rpc.name}Response`);
      expect(method.request.decode(bytes())).toBeTypeOf('object');
      expect(method.response.decode(bytes())).toBeTypeOf('object');
    }
  });
});

describe('the interfaces in TypeScript', () => {
  const source = readFileSync(
    new URL('../../../src/rpc/admin-messages.ts', import.meta.url),
    'utf8',
  );
  const interfaces = new Map(
    [...source.matchAll(/export interface (\w+) \{([^}]*(?:\{[^}]*\}[^}]*)*)\n\}/g)].map(
      (match) => [
        match[1]!,
        [...match[2]!.matchAll(/^ {2}readonly (\w+)(\??): (.*);$/gm)].map((field) => ({
          name: field[1]!,
          optional: field[2] === '?',
          type: field[3]!,
        })),
      ],
    ),
  );
  const empty = [...source.matchAll(/export type (\w+) = Record<string, never>;/g)].map(
    (match) => match[1]!,
  );
  const types = namespace.nestedArray.filter((one) => one instanceof protobuf.Type);

  const typeOf = (field: protobuf.Field): string => {
    if (field.map) return '{ readonly [name: string]: string }';
    const names: Record<string, string> = {
      string: 'string',
      int32: 'number',
      int64: 'number',
      bool: 'boolean',
      Error: 'ErrorMessage',
    };
    const name = names[field.type] ?? field.type;
    if (field.repeated) return `readonly ${name}[]`;
    const isOptional = field.partOf !== null || field.type === 'Error';
    return isOptional ? `${name} | undefined` : name;
  };

  test('have the fields of the proto, with their types', () => {
    expect(types.length).toBeGreaterThan(30);
    for (const type of types) {
      const name = type.name === 'Error' ? 'ErrorMessage' : type.name;
      if (type.fieldsArray.length === 0) {
        expect(empty).toContain(name);
        continue;
      }
      const fields = type.fieldsArray.map((field) => ({
        name: field.name,
        optional: typeOf(field).endsWith('| undefined'),
        type: typeOf(field),
      }));
      expect(interfaces.get(name), name).toEqual(fields);
    }
    expect(interfaces.size + empty.length).toBe(types.length);
  });

  test('know every value of the enums', () => {
    const values = Object.keys(root.lookupEnum('varve.v1.ConfigSource').values);
    for (const value of values) expect(source).toContain(`| '${value}'`);
  });
});

describe('the codecs', () => {
  test('round trip a request with maps', () => {
    const request = {
      topics: [
        {
          name: 'orders',
          partitionCount: 3,
          replicationFactor: 0,
          configs: { 'retention.ms': '-1', 'cleanup.policy': 'compact' },
        },
        { name: 'empty', partitionCount: 0, replicationFactor: 0, configs: {} },
      ],
      validateOnly: true,
    };
    const encoded = createTopics.request.encode(request);
    expect(encoded.constructor).toBe(Uint8Array);
    expect(createTopics.request.decode(encoded)).toEqual(request);
  });

  test('fill in what was not sent', () => {
    expect(createTopics.request.decode(bytes())).toEqual({ topics: [], validateOnly: false });
  });

  test('leave an error that is not there undefined', () => {
    const topic = { name: 't', topicId: 'id', partitionCount: 1, replicationFactor: 1 };
    const error = { code: 36, name: 'TOPIC_ALREADY_EXISTS', retriable: false, message: 'no' };
    const response = { topics: [topic, { ...topic, error }] };
    const decoded = createTopics.response.decode(createTopics.response.encode(response));
    expect(decoded).toEqual(response);
    expect(decoded.topics[0]!.error).toBeUndefined();
  });

  test('keep which member of a oneof was set, also with its default value', () => {
    const partitions = [
      { topic: 'a', partition: 0, earliest: true },
      { topic: 'b', partition: 1, timestampMs: 0 },
      { topic: 'c', partition: 2 },
    ];
    const request = { partitions, readCommitted: false };
    const decoded = listOffsets.request.decode(listOffsets.request.encode(request));
    expect(decoded).toEqual(request);
    expect(decoded.partitions[1]!.timestampMs).toBe(0);
    expect(decoded.partitions[1]!.latest).toBeUndefined();
  });

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
    const large = deleteTopics.request.encode({ names: ['x'.repeat(1024 * 1024)] });
    expect(() => deleteTopics.request.decode(large)).toThrow('are more than the 1048576 allowed');
  });
});
