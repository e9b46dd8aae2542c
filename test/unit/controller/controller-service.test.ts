import { readFileSync } from 'node:fs';
import protobuf from 'protobufjs';
import { expect, test } from 'vitest';
import { CorruptError } from '../../../src/codec/reader.ts';
import { controllerMethods } from '../../../src/controller/controller-service.ts';
import { loadProto } from '../../../src/rpc/proto-codec.ts';

const root = loadProto('varve/internal/v1/controller.proto');
const namespace = root.lookup('varve.internal.v1') as protobuf.Namespace;

test('the methods are those of the proto', () => {
  const service = root.lookupService('varve.internal.v1.ControllerService');
  expect(Object.keys(controllerMethods).sort()).toEqual(
    service.methodsArray.map(({ name }) => name[0]!.toLowerCase() + name.slice(1)).sort(),
  );
  for (const [name, { path }] of Object.entries(controllerMethods)) {
    const rpc = service.methods[name[0]!.toUpperCase() + name.slice(1)]!;
    expect(path).toBe(`/varve.internal.v1.ControllerService/${rpc.name}`);
    expect([rpc.requestType, rpc.responseType]).toEqual([
      `${rpc.name}Request`,
      `${rpc.name}Response`,
    ]);
  }
});

test('the interfaces have the fields of the proto, with their types', () => {
  const source = readFileSync(
    new URL('../../../src/controller/controller-messages.ts', import.meta.url),
    'utf8',
  );
  const names: Readonly<Record<string, string>> = {
    ...{ string: 'string', int32: 'number', int64: 'number', bool: 'boolean' },
    'varve.v1.Error': 'ErrorMessage',
  };
  const types = namespace.nestedArray.filter((one) => one instanceof protobuf.Type);
  expect(types.length).toBeGreaterThan(30);
  for (const { name, fieldsArray } of types) {
    if (fieldsArray.length === 0) {
      expect(source).toContain(`export type ${name} = Record<string, never>;`);
      continue;
    }
    const fields = fieldsArray.map((field) => {
      const type = names[field.type] ?? field.type;
      if (field.repeated) return `  readonly ${field.name}: readonly ${type}[];\n`;
      const isMessage = field.resolvedType !== null && 'fieldsArray' in field.resolvedType;
      return field.partOf !== null || isMessage
        ? `  readonly ${field.name}?: ${type} | undefined;\n`
        : `  readonly ${field.name}: ${type};\n`;
    });
    expect(source).toContain(`export interface ${name} {\n${fields.join('')}}\n`);
  }
  const kinds = Object.keys(root.lookupEnum('varve.internal.v1.ConfigOperationKind').values);
  for (const kind of kinds) expect(source).toContain(`| '${kind}'`);
});

test('ten thousand partitions placed by hand are let in', () => {
  const { encode, decode } = controllerMethods.createTopics.request;
  const replicaAssignments = Array.from({ length: 10_000 }, (_, partition) => ({
    ...{ partition, replicas: [partition % 7, 100 + (partition % 7), 1000] },
  }));
  const topic = { name: 't', partitionCount: -1, replicationFactor: -1, configs: {} };
  const request = { topics: [{ ...topic, replicaAssignments }], validateOnly: false };
  expect(decode(encode(request))).toEqual(request);
});

test('what would take far more memory than its bytes is refused before it is decoded', () => {
  const { decode } = controllerMethods.createTopics.request;
  // Empty topics, two bytes each; numbers, one byte each; too many bytes.
  const topics = new Uint8Array(400_000).map((_, i) => (i % 2 === 0 ? 0x0a : 0));
  const numbers = protobuf.Writer.create().uint32(0x12).bytes(new Uint8Array(3_500_000)).finish();
  const assignment = protobuf.Writer.create().uint32(0x32).bytes(numbers).finish();
  const packed = protobuf.Writer.create().uint32(0x0a).bytes(assignment).finish();
  const large = new Uint8Array(5 * 1024 * 1024);
  for (const bytes of [topics, packed, large]) expect(() => decode(bytes)).toThrow(CorruptError);
});
