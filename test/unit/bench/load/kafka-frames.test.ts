import { expect, test } from 'vitest';
import {
  apiVersions,
  createTopic,
  frameOf,
  metadata,
  produce,
  produceErrorAt,
} from '../../../../bench/load/kafka-frames.ts';
import { ByteReader } from '../../../../src/codec/reader.ts';
import { servedApis } from '../../../../src/kafka/api-table.ts';
import { readClientId, readRequestHeader } from '../../../../src/kafka/request-header.ts';
import { includes } from '../../../../src/kafka/versions.ts';
import { makeBatch } from '../../log/log-world.ts';

const requests = { apiVersions, metadata: metadata('t'), createTopic: createTopic('t') };

test.for([...Object.entries(requests), ['produce', produce('t', makeBatch())] as const])(
  'the request %s is a whole frame in a version that is served',
  ([, request]) => {
    const frame = frameOf(request, 7);
    expect(new DataView(frame.buffer).getInt32(0)).toBe(frame.length - 4);
    const reader = new ByteReader(frame.subarray(4));
    const { apiKey, apiVersion, correlationId } = readRequestHeader(reader);
    expect(correlationId).toBe(7);
    const api = servedApis.find(({ key }) => key === apiKey)!;
    expect(includes(api.versions, apiVersion)).toBe(true);
    expect(includes(api.flexible, apiVersion)).toBe(false);
    expect(readClientId(reader, false)).toBe('bench');
  },
);

test('the error code of an answer is looked for behind topic and partition', () => {
  // One topic, its name, one partition, its number.
  expect(produceErrorAt('name')).toBe(4 + (2 + 4) + 4 + 4);
});
