import { Compression } from '../../src/codec/compression.ts';
import { CorruptError } from '../../src/codec/reader.ts';
import { batchOf } from '../../src/grpc/plain-records.ts';
import { ApiError } from '../../src/model/errors.ts';
import { BatchBuilder } from '../../src/records/batch-builder.ts';
import { adminMethods } from '../../src/rpc/admin-service.ts';
import {
  fetchRequestCodec,
  fetchResponseCodec,
  produceRequestCodec,
  produceResponseCodec,
} from '../../src/rpc/log-codecs.ts';
import type { ProduceRequest } from '../../src/rpc/log-messages.ts';
import type { MessageCodec } from '../../src/rpc/method.ts';
import type { Target } from './target.ts';

const text = new TextEncoder();
const none = new Uint8Array(0);
const topicId = new Uint8Array(16).fill(7);
const error = { code: 3, name: 'UNKNOWN_TOPIC_OR_PARTITION', retriable: true, message: 'no “x”' };
const plainRecord = {
  key: text.encode('k'),
  value: text.encode('value'),
  headers: [{ key: 'h', value: undefined }],
  timestampMs: 1_700_000_000_000,
  offset: 0,
};
const bare = { key: undefined, value: undefined, headers: [], timestampMs: 0, offset: 0 };

function records(): Uint8Array {
  const builder = new BatchBuilder({ compression: Compression.none });
  builder.append({ key: null, value: text.encode('v'), headers: [], timestampMs: 1 });
  return builder.build().slice();
}

/** Requests as clients send them. */
export const produceRequests: readonly ProduceRequest[] = [
  {
    correlationId: 1,
    acks: 1,
    timeoutMs: 30_000,
    partitions: [
      { topic: 'orders', partition: 0, topicId, records: records() },
      { topic: 'orders', partition: 1, topicId: none, records: records() },
    ],
  },
  {
    correlationId: 2,
    acks: 2,
    timeoutMs: 0,
    partitions: [
      {
        topic: 'orders',
        partition: 0,
        topicId: none,
        records: none,
        plainRecords: [plainRecord, bare],
      },
    ],
  },
];

/** What the door makes of plain records. */
function useProduceRequest({ partitions }: ProduceRequest): void {
  for (const { plainRecords } of partitions) {
    if (plainRecords !== undefined && plainRecords.length > 0) batchOf(plainRecords, 1);
  }
}

interface Messages<T> {
  readonly codec: MessageCodec<T>;
  readonly messages: readonly T[];
  readonly use?: (message: T) => void;
}

export function messageTarget<T>(name: string, weight: number, of: Messages<T>): Target {
  const { codec, messages, use } = of;
  return {
    name,
    weight,
    corpus: messages.map((message) => codec.encode(message)),
    run: (bytes) => {
      const message = codec.decode(bytes);
      use?.(message);
      // What was understood can be written.
      if (use === undefined) codec.encode(message);
    },
    refuses: (thrown) => thrown instanceof CorruptError || thrown instanceof ApiError,
  };
}

const position = { topic: 'orders', partition: 0, topicId, offset: 5, leaderEpoch: 1 };

const logMessages: readonly Target[] = [
  messageTarget('ProduceRequest', 8, {
    codec: produceRequestCodec,
    messages: produceRequests,
    use: useProduceRequest,
  }),
  messageTarget('ProduceResponse', 4, {
    codec: produceResponseCodec,
    messages: [
      {
        correlationId: 1,
        creditBytes: 100,
        partitions: [
          {
            topic: 'orders',
            partition: 1,
            error,
            baseOffset: 2 ** 40,
            logAppendTimeMs: -1,
            logStartOffset: 0,
            leaderId: 1,
            leaderEpoch: 3,
          },
        ],
      },
    ],
  }),
  messageTarget('FetchRequest', 8, {
    codec: fetchRequestCodec,
    messages: [
      {
        correlationId: 1,
        creditBytes: 1_000_000,
        isolationLevel: 1,
        maxPartitionBytes: 1000,
        positions: [position, { ...position, partition: 1, topicId: none, leaderEpoch: -1 }],
        stops: [{ topic: 'orders', partition: 2 }],
        plainRecords: true,
      },
    ],
  }),
  messageTarget('FetchResponse', 4, {
    codec: fetchResponseCodec,
    messages: [
      {
        partitions: [
          {
            topic: 'orders',
            partition: 0,
            correlationId: 1,
            error,
            highWatermark: 9,
            lastStableOffset: 9,
            logStartOffset: 0,
            records: [records()],
            plainRecords: [plainRecord],
          },
        ],
      },
    ],
  }),
];

/** A request of every method of administration, and a few answers with much in them. */
const adminMessages: readonly Target[] = [
  adminTarget('CreateTopics', adminMethods.createTopics.request, [
    {
      validateOnly: true,
      topics: [
        { name: 'a', partitionCount: 3, replicationFactor: 1, configs: { 'retention.ms': '1' } },
      ],
    },
  ]),
  adminTarget('DeleteTopics', adminMethods.deleteTopics.request, [{ names: ['a', 'b'] }]),
  adminTarget('CreatePartitions', adminMethods.createPartitions.request, [
    { topics: [{ name: 'a', totalCount: 4 }], validateOnly: false },
  ]),
  adminTarget('DescribeTopics', adminMethods.describeTopics.request, [{ names: ['a', 'ü'] }]),
  adminTarget('DescribeConfigs', adminMethods.describeConfigs.request, [{ topics: ['a'] }]),
  adminTarget('AlterConfigs', adminMethods.alterConfigs.request, [
    {
      topics: [{ name: 'a', set: { k: 'v', __proto__x: 'y' }, unset: ['z'] }],
      validateOnly: false,
    },
  ]),
  adminTarget('ListOffsets', adminMethods.listOffsets.request, [
    {
      partitions: [
        { topic: 'a', partition: 0, timestampMs: 5 },
        { topic: 'a', partition: 1, earliest: true },
      ],
      readCommitted: false,
    },
  ]),
  adminTarget('DeleteRecords', adminMethods.deleteRecords.request, [
    { partitions: [{ topic: 'a', partition: 0, beforeOffset: 2 ** 40 }] },
  ]),
  adminTarget('DescribeTopics answer', adminMethods.describeTopics.response, [
    {
      topics: [
        {
          name: 'a',
          topicId: 'AAAAAAAAAAAAAAAAAAAAAQ',
          internal: false,
          partitions: [
            { partition: 0, leaderId: 1, leaderEpoch: 2, replicaIds: [1, 2], isrIds: [1] },
          ],
        },
      ],
      brokers: [{ nodeId: 1, host: 'h', port: 1, rack: '' }],
    },
  ]),
];

function adminTarget<T>(name: string, codec: MessageCodec<T>, messages: readonly T[]): Target {
  return messageTarget(name, 1, { codec, messages });
}

export const messageTargets: readonly Target[] = [...logMessages, ...adminMessages];
