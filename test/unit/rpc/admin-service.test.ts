import { readFileSync } from 'node:fs';
import protobuf from 'protobufjs';
import { describe, expect, test } from 'vitest';
import { adminMethods } from '../../../src/rpc/admin-service.ts';
import { loadProto } from '../../../src/rpc/proto-codec.ts';
import { bytes } from './transport-world.ts';

const root = loadProto('varve/v1/admin.proto');
const namespace = root.lookup('varve.v1') as protobuf.Namespace;
const { createTopics, listOffsets } = adminMethods;

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
});
